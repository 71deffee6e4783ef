"""For instructors: which walls stand around learners' code on the machines that grade now, in one calm line.

Leaves out what the walls are made of (``graders.inside``): workers describe them as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from graders.protocol import WALLS
from progress import workers
from progress.database import DatabaseFault
from ui import session
from ui.widgets.safe import plain


def show() -> None:
    """One line for each kind of machine that grades; nothing while none does."""
    try:
        known = workers.isolation(session.database())
    except DatabaseFault:  # the page has more important things to show than this line
        return
    for told in {line(told): told for told in known.values()}.values():
        if told.get("ready"):
            st.caption(line(told), help=reasons(told))
        else:
            st.warning(line(told), icon=":material/shield:")


def line(told: Mapping[str, Any]) -> str:
    """What a worker told about its walls, for people. Unknown names are shown as they are: a newer worker's."""
    if not told.get("ready"):
        return plain(str(told.get("problem") or "Изоляция недоступна, проверки не запускаются."))
    tier = f", ступень {told['tier']}" if told.get("tier") else ""
    text = f"Код учеников выполняется в песочнице{tier}: {_named(told.get('layers') or ())}."
    absent = [name for name, _ in told.get("missing") or ()]
    return plain(f"{text} Чего здесь нет: {_named(absent)}." if absent else text)


def reasons(told: Mapping[str, Any]) -> str | None:
    """Why what is missing is missing, as a list; None when nothing is."""
    return "\n".join(f"- {plain(f'{_named([name])}: {why}')}" for name, why in told.get("missing") or ()) or None


def _named(names: Sequence[str]) -> str:
    """The names in words, each once."""
    return ", ".join(dict.fromkeys(WALLS.get(name, name) for name in names)) or "стены не названы"
