"""A point of a recorded figure: what it is, when and how it was recorded, and the page that starts it as one's own run.

Leaves out the page itself (``ui.pages.new_run``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from charts import origin
from demos.finetuning import measured
from demos.finetuning.spec import RunSpec
from ui import links

REPEAT = "Повторить эту точку"


@dataclass(frozen=True, slots=True)
class Place:
    """A point that can be chosen: its name, what came out, its recipe."""

    label: str
    said: str
    spec: RunSpec


def repeat(places: Sequence[Place], key: str) -> None:
    """Choose a point, go to the page that starts its recipe."""
    chosen = st.selectbox(
        "Точка", range(len(places)), key=f"{key}-point", format_func=lambda place: places[place].label
    )
    place = places[chosen or 0]
    st.caption(" ".join([f"{place.label}: {place.said}.", *origin.said(measured.origin([place.spec.fingerprint]))]))
    links.go(REPEAT, links.NEW_RUN, links.recipe(place.spec), icon=":material/replay:")
