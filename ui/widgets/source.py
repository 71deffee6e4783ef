"""Code that runs elsewhere in this project, quoted with arrows: numbered marks in the lines, remarks beneath."""

from __future__ import annotations

import streamlit as st

from lessons.model import CodeRef

MARKS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def source(ref: CodeRef) -> None:
    """The quoted source; each remark has the number that stands at the end of its line."""
    st.code(marked(ref), language="python", wrap_lines=True)
    if ref.arrows:
        remarks = [f"{mark}&ensp;{arrow.text}" for mark, arrow in zip(MARKS, ref.arrows, strict=False)]
        with st.container(key=f"arrows-{ref.name.replace('.', '-')}", gap="xsmall"):
            for remark in remarks:
                st.markdown(remark)
    st.caption(f"Этот код работает в курсе: `{ref.path}`, строка {ref.first_line}.")


def marked(ref: CodeRef) -> str:
    """The source with a comment ``# ①`` at the end of each line that an arrow points to."""
    lines = ref.source.splitlines()
    for mark, arrow in zip(MARKS, ref.arrows, strict=False):
        if 0 < arrow.line <= len(lines):
            spot = lines[arrow.line - 1]
            lines[arrow.line - 1] = f"{spot} {mark}" if spot.rstrip().endswith(tuple(MARKS)) else f"{spot}  # {mark}"
    return "\n".join(lines)
