"""The pages: the only package that imports Streamlit. Leaves out computing, storing and grading.

Streamlit puts the folder of ui/main.py first on ``sys.path`` while a page runs, where ``ui/demos`` would answer to
``import demos``. Dropping that entry and importing the real package once, here, settles it for the whole process.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).resolve().parent)]
importlib.import_module("demos")
