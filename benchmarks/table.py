"""A plain table for the terminal: what was measured, the figure, the bound it is held against."""

from __future__ import annotations

import os
from collections.abc import Sequence


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows`` under ``head``, columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}")
    for row in (head, ["-" * width for width in widths], *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def machine() -> str:
    """What the figures were measured on: cores, and how many processes wanted them a minute ago."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def verdict(value: float, bound: float, *, at_least: bool = False) -> str:
    """The bound, and whether ``value`` keeps it; the last column of a table."""
    kept = value >= bound if at_least else value <= bound
    return f"{'>=' if at_least else '<='} {bound:g}  {'ok' if kept else 'MISSED'}"
