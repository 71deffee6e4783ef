"""A point of a recorded figure computed again, now, at the press of a button. Leaves out what is drawn of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from charts.drawing import Drawing
from demos.params import ParamsError
from jobs import compute
from ui.demos import frame
from ui.widgets.table import table

REPEAT = "Повторить одну точку"


def live(name: str, values: Mapping[str, Any], draw: Callable[[Any], Drawing], key: str) -> None:
    """A button; pressed, the demo ``name`` is computed with ``values`` and what it says is shown."""
    if not st.button(REPEAT, key=f"{key}-live", icon=":material/replay:"):
        return
    try:
        with st.spinner("Считаем…", show_time=True):
            drawing = draw(compute.call(name, values))
    except (ParamsError, compute.ComputeError) as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    frame.show(drawing, f"{key}-live")
    for place, shown in enumerate(drawing.tables):
        table(shown, f"{key}-live-{place}")


def state(file: Path) -> Callable[[], Hashable]:
    """When a recording changed last: a figure drawn before is drawn anew then."""

    def told() -> Hashable:
        found = file.stat() if file.exists() else None
        return None if found is None else (found.st_mtime_ns, found.st_size)

    return told
