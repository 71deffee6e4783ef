"""What the server does before the first visitor comes: imports and loads all that pages use, so that no click waits."""

from __future__ import annotations

import importlib
from pathlib import Path

from ui import session

SLOW = ("plotly.graph_objects", "streamlit.elements.plotly_chart", "streamlit.elements.markdown")


def up() -> None:
    """Import every widget, demo view and chart library, open the database, load the course.

    Raises:
        progress.database.DatabaseTooNew: and its kin, each with a Russian sentence for the operator.
    """
    for name in (*SLOW, *_modules("widgets"), *_modules("demos")):
        importlib.import_module(name)
    session.database()
    session.course()


def _modules(package: str) -> list[str]:
    folder = Path(__file__).parent / package
    return [f"ui.{package}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
