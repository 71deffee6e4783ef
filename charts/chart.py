"""A chart: the Plotly figure and the words for whoever does not see it."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class Chart:
    """``alt`` says in one to three sentences what the figure shows, with its numbers."""

    figure: go.Figure
    alt: str

    @property
    def title(self) -> str:
        """The finding, on one line."""
        return str(self.figure.layout.title.text).replace("<br>", " ")
