"""What the server does before the first visitor comes: imports and loads all that pages use, so that no click waits."""

from __future__ import annotations

import importlib
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager

from ui import session

SLOW = ("plotly.graph_objects", "streamlit.elements.plotly_chart", "streamlit.elements.markdown")


def up() -> None:
    """Import every widget, demo view and chart library, open the database, load the course.

    Also tells Streamlit that ``ui/pages`` is no menu: until the first ``st.navigation`` it would take the folder for
    one, and the first visitor with a deep link would get a bare page.

    Raises:
        progress.database.DatabaseTooNew: and its kin, each with a Russian sentence for the operator.
    """
    PagesManager.uses_pages_directory = False
    for name in (*SLOW, *_modules("widgets"), *_modules("demos")):
        importlib.import_module(name)
    session.database()
    session.course()


def _modules(package: str) -> list[str]:
    folder = Path(__file__).parent / package
    return [f"ui.{package}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
