"""A drawing: an SVG file on paper that stays light in the dark theme, with its text alternative and a caption."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from ui.widgets.prose import prose


def figure(path: Path, alt: str, key: str, caption: str = "") -> None:
    """Show the drawing of ``path``; ``alt`` is what a screen reader says."""
    with st.container(key=f"figure-{key}"):
        st.image(_svg(str(path), path.stat().st_mtime_ns), alt=alt, width="stretch")
        if caption:
            with st.container(key=f"caption-{key}"):
                prose(caption)


@lru_cache(maxsize=256)
def _svg(path: str, _written: int) -> str:
    return Path(path).read_text(encoding="utf-8")
