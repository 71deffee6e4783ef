"""A matrix of counts as a heat map: each row coloured by its own shares, the counts in the cells, words to speak.

Leaves out what rows and columns are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import palette

SCALE = [[0, "#EEF4F9"], [1, palette.BLUE]]  # opaque: numbers in the cells must read on dark pages too
Counts = Sequence[Sequence[int]]


def draw(
    figure: Any, counts: Counts, totals: Sequence[int], *, rows: Sequence[str], columns: Sequence[str], size: int
) -> None:
    """Draw ``counts``, (rows, columns), into a figure; ``totals`` of the rows, ``size`` of the columns' names."""
    figure.add_heatmap(
        z=[[count / total if total else 0 for count in row] for row, total in zip(counts, totals, strict=True)],
        x=list(columns),
        y=list(rows),
        text=[[str(count) if count else "" for count in row] for row in counts],
        texttemplate="%{text}",
        customdata=[[f"{count} из {total}" for count in row] for row, total in zip(counts, totals, strict=True)],
        hovertemplate="%{y} → %{x}: %{customdata}<extra></extra>",
        colorscale=SCALE,
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    places = [column.replace(" ", "<br>") for column in columns]
    figure.update_xaxes(showgrid=False, tickangle=0, tickvals=list(columns), ticktext=places, tickfont={"size": size})


def spell(counts: Counts, *, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Every row in words: its name and what is not nought in it."""
    return "; ".join(
        f"{name}: {', '.join(f'{column} {count}' for column, count in zip(columns, row, strict=True) if count)}"
        for name, row in zip(rows, counts, strict=True)
    )
