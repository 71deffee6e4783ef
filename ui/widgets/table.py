"""A table of exact values in a page: numbers as Russian readers write them, everything else escaped; and as a file.

Leaves out sorting and long lists: a demo's table is read from the top down.
"""

from __future__ import annotations

import streamlit as st

from charts.drawing import Cell, Table
from common import numbers
from progress import export
from ui.widgets.safe import cell

SHOWN = 400
"""Rows that a page shows; the file has them all."""
DIGITS = 4
"""Significant digits of a fraction shown; the file has them all."""


def table(shown: Table, key: str) -> None:
    """The table with its title, folded away when it says so."""
    if shown.folded:
        with st.expander(shown.title, icon=":material/table_rows:", key=key):
            _body(shown)
    else:
        st.markdown(f"**{cell(shown.title)}**")
        _body(shown)


def csv(shown: Table) -> bytes:
    """The same values for a spreadsheet: full precision, decimal commas."""
    return export.table(shown.columns, shown.rows, exact=True)


def _body(shown: Table) -> None:
    if not shown.rows:
        st.caption("Пока пусто.")
        return
    head = f"| {' | '.join(cell(name) for name in shown.columns)} |\n|{'|'.join(_sides(shown))}|\n"
    st.markdown(head + "\n".join(f"| {' | '.join(_words(value) for value in row)} |" for row in shown.rows[:SHOWN]))
    if len(shown.rows) > SHOWN:
        st.caption(f"Показаны первые {SHOWN} строк из {numbers.integer(len(shown.rows))}. В файле CSV — все.")
    if shown.note:
        st.caption(shown.note)


def _sides(shown: Table) -> list[str]:
    """Numbers stand to the right."""
    first = shown.rows[0]
    return ["--:" if isinstance(value, int | float) and not isinstance(value, bool) else "---" for value in first]


def _words(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "да" if value else "нет"
        case int():
            return numbers.integer(value)
        case float():
            return numbers.significant(value, DIGITS)
        case _:
            return cell(value)
