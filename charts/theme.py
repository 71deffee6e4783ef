"""One look for all charts: a Plotly template made from the palette, Russian separators, room for a title of two lines.

Backgrounds are transparent and only the template holds text colours, so that a page may put its own (light or dark)
instead. Leaves out what a chart shows.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from common import palette
from common.numbers import NBSP

INK, LINES = "#31333F", "rgba(128,132,149,0.35)"
CLEAR = "rgba(0,0,0,0)"
TITLE_WIDTH = 36
"""Characters of a title's line: what a phone shows without cutting."""
TITLE_LINE, TITLE_SPACE, TITLE_TOP = 22, 24, 8  # pixels
LIFT = 11
"""Pixels by which Plotly draws a title of several lines above where it says (seen with plotly.js of 7.1)."""

_AXIS = {
    "gridcolor": LINES,
    "linecolor": LINES,
    "zerolinecolor": LINES,
    "automargin": True,
    "ticklabelstandoff": 4,
    "title": {"standoff": 8, "font": {"size": 13}},
    "exponentformat": "power",  # 6·10⁻⁴, not 600µ
    "fixedrange": True,  # a finger that scrolls the page must not zoom the chart
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": '"Source Sans", "Source Sans 3", "Noto Sans", sans-serif', "size": 14, "color": INK},
        "title": {
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"l": 4},
            "font": {"size": 16},
        },
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": [palette.BLUE, palette.ORANGE, palette.GREEN, palette.VERMILION, palette.SKY, palette.PURPLE],
        "separators": f",{NBSP}",
        "margin": {"l": 8, "r": 16, "b": 8},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"align": "left"},
        # at the foot of the chart: Plotly then leaves room for it under the axis title, however many lines it takes
        "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"},
        "dragmode": False,
        "bargap": 0.35,
    }
)


def whiskers(bounds: Sequence[tuple[float, float]], values: Sequence[float], **look: Any) -> dict[str, Any]:
    """Bars from each low to each high around the values, for ``error_x`` and ``error_y``; ``look`` is Plotly's."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) for (_, high), value in zip(bounds, values, strict=True)],
        "arrayminus": [max(0.0, value - low) for (low, _), value in zip(bounds, values, strict=True)],
        **look,
    }


def figure(title: str, *, x: str, y: str = "", height: int = 320) -> go.Figure:
    """An empty figure with the house look; ``title`` is the finding, ``x`` and ``y`` name axes with their units."""
    made, lines = go.Figure(), textwrap.wrap(title, TITLE_WIDTH, break_on_hyphens=False)
    made.update_layout(
        template=TEMPLATE,
        title_text="<br>".join(lines),
        title_pad_t=TITLE_TOP + (LIFT if len(lines) > 1 else 0),
        margin_t=TITLE_SPACE + TITLE_LINE * len(lines),
        xaxis_title_text=x,
        yaxis_title_text=y,
        height=height,
        separators=f",{NBSP}",  # not left to the template: a page that puts its own theme would lose it
    )
    return made
