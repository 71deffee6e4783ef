"""Code that runs elsewhere in this project, quoted with arrows: numbered marks in the lines, remarks beneath."""

from __future__ import annotations

import streamlit as st

from lessons.model import CodeRef


def source(ref: CodeRef) -> None:
    """The quoted source; each remark has the number that stands at the end of its line."""
    st.code(marked(ref), language="python", wrap_lines=True)
    if ref.arrows:
        st.markdown("\n".join(f"{number}. {arrow.text}" for number, arrow in enumerate(ref.arrows, 1)))
    st.caption(f"Этот код работает в курсе: `{ref.path}`, строка {ref.first_line}.")


def marked(ref: CodeRef) -> str:
    """The source with a comment ``# ← 1`` at the end of each line that an arrow points to."""
    lines = ref.source.splitlines()
    for line in sorted({arrow.line for arrow in ref.arrows if 0 < arrow.line <= len(lines)}):
        marks = [str(number) for number, arrow in enumerate(ref.arrows, 1) if arrow.line == line]
        lines[line - 1] += f"  # ← {', '.join(marks)}"
    return "\n".join(lines)
