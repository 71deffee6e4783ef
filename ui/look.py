"""The page's frame: title, icon, logo and the one style sheet. Colours and fonts are in .streamlit/config.toml."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STATIC = Path(__file__).parent / "static"
NAME = "Донастройка"


def frame() -> None:
    """Set what every page shares; a page may then widen itself or take a title of its own."""
    st.set_page_config(page_title=NAME, page_icon=str(STATIC / "icon.svg"), layout="centered")
    st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "icon.svg"))
    st.html(STATIC / "course.css")


def title(text: str) -> None:
    """The title of the browser's tab."""
    st.set_page_config(page_title=f"{text} — {NAME}")
