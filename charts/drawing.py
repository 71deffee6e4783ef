"""What a demo shows of a result, whoever shows it: figures, numbers, tables, remarks. Plain values; no widgets.

A page formats and escapes them (``ui.demos.frame``), a notebook takes ``drawing.charts[0].figure``. Leaves out drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

from charts.chart import Chart

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Number:
    """One number that a learner should see first, ready to read."""

    label: str
    value: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Exact values: what is shown as a table and what goes into a file. A cell of None is empty.

    ``folded`` tables open on demand; the others stand under the figure.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: bool = True


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that a demo shows of one result, from the top down. ``warnings`` are alarms of the demo itself."""

    charts: tuple[Chart, ...] = ()
    numbers: tuple[Number, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
