"""The page's frame: title, icon, logo, the one style sheet, the one script. Colours: .streamlit/config.toml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from ui import reconnect

STATIC = Path(__file__).parent / "static"
NAME = "Донастройка"


def frame() -> None:
    """Set what every page shares; a page may then widen itself or take a title of its own."""
    st.set_page_config(page_title=NAME, page_icon=str(STATIC / "icon.svg"), layout="centered")
    st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "icon.svg"))
    st.html(STATIC / "course.css")
    st.html(_script(), unsafe_allow_javascript=True)
    reconnect.watch()


@cache
def _script() -> str:
    return f"<script>{(STATIC / 'course.js').read_text(encoding='utf-8')}</script>"


def title(text: str) -> None:
    """The title of the browser's tab."""
    st.set_page_config(page_title=f"{text} — {NAME}")


def start_at_top(place: str) -> None:
    """Tell the page's script that another place is shown: it scrolls to the top when ``place`` changes."""
    st.html(f'<span id="course-place" data-place="{place}" hidden></span>')
