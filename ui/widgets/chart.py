"""A chart in a page: its figure with the words for those who do not see it, and a camera that saves it as a picture."""

from __future__ import annotations

from typing import Any

import streamlit as st

from charts.chart import Chart

SAVE = "Сохранить рисунок (PNG)"
_WORDS = {
    "Download plot as a PNG": SAVE,
    "Preparing image - this may take a few seconds": "Готовим рисунок, это займёт несколько секунд",
    "Snapshot succeeded": "Рисунок сохранён",
    "Sorry, there was a problem downloading your image!": "Рисунок не сохранился: попробуйте ещё раз.",
}
"""What Plotly itself says, in Russian."""


def chart(drawn: Chart, key: str, *, name: str = "", save: bool = True) -> None:
    """Show ``drawn``; with ``save`` a picture can be taken of it, in a file called after ``name``."""
    st.plotly_chart(drawn.figure, key=key, alt=drawn.alt, config=_config(name or "chart") if save else _PLAIN)


_PLAIN: dict[str, Any] = {"displayModeBar": False}


def _config(name: str) -> dict[str, Any]:
    return {
        "displayModeBar": "hover",
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"filename": name, "format": "png", "scale": 2},
        "locale": "ru",
        "locales": {"ru": {"dictionary": _WORDS}},
    }
