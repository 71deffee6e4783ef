"""Markdown of a lesson: with maths, and without the link icons that Streamlit puts beside headings."""

from __future__ import annotations

import streamlit as st


def prose(text: str) -> None:
    """Show Markdown; ``$…$`` is maths."""
    if text.strip():
        st.markdown(text, anchors=False)
