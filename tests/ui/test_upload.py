"""A file that is uploaded to the editor: what stands there afterwards, and what the learner reads about it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import settings
from progress import learning
from progress.database import Database
from progress.identity import LOCAL

pytestmark = pytest.mark.slow

SLUG = "lora-params"
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": "# Решение"},
            {"cell_type": "code", "source": "%matplotlib inline\nрower = 1", "execution_count": 2},
            {
                "cell_type": "code",
                "source": "def lora_params(config, rank, targets):\n    return 0",
                "execution_count": 1,
            },
        ],
        "nbformat": 4,
    }
).encode()
Upload = Callable[[str, bytes], AppTest]


def page(name: str, content: bytes) -> None:
    """A page with nothing but the workbench, on which the upload button was pressed once."""
    from graders.exercise import load
    from ui import session
    from ui.widgets import workbench
    from ui.widgets.editor import Pressed

    exercise = load(session.settings().exercises_dir / "lora-params")
    if not session.recall("pressed", False):
        session.remember("pressed", True)
        workbench._take(exercise, Pressed("upload", filename=name, content=content))
    workbench.show(exercise)


@pytest.fixture
def upload(own_data: settings.Settings) -> Upload:
    def at(name: str, content: bytes) -> AppTest:
        return AppTest.from_function(page, args=(name, content), default_timeout=60).run()

    return at


def stored(own_data: settings.Settings) -> str | None:
    draft = learning.draft(Database(own_data.database), LOCAL, SLUG)
    return draft.source if draft else None


def test_a_notebook_becomes_one_text_with_cells_and_its_notices_stay(
    upload: Upload, own_data: settings.Settings
) -> None:
    tab = upload("дз.ipynb", NOTEBOOK)
    assert not tab.exception
    assert stored(own_data) == (
        "# %% ячейка 1\n# убрано: %matplotlib inline\nрower = 1\n\n"
        "# %% ячейка 2\ndef lora_params(config, rank, targets):\n    return 0\n"
    )
    assert "Файл загружен" in tab.toast[0].value
    told = tab.info[0].value
    for words in ("matplotlib inline", "Ячейку 2 вы выполняли раньше ячейки 1", "буква «р» русская"):
        assert words in told
    assert tab.run().info[0].value == told


def test_the_notices_go_with_the_next_press(upload: Upload) -> None:
    tab = upload("дз.ipynb", NOTEBOOK)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    tab.button(key=f"plain-run-{SLUG}").click().run()
    assert not any("matplotlib" in info.value for info in tab.run().info)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("hw.ipynb", b'{"cells": [', "Тетрадка повреждена"),
        ("hw.ipynb", b'{"cells": ' + b"[" * 10**6, "устроена слишком сложно"),
        ("hw.py", b"\x7fELF", "исполняемый файл"),
        ("hw.py", b" \n", "Файл пуст"),
        ("hw.ipynb", json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ""}]}).encode(), "Файл пуст"),
        ("hw.py", "я".encode("cp1251") * (200 << 10), "больше 256 КиБ"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_text_stays(
    upload: Upload, own_data: settings.Settings, name: str, content: bytes, words: str
) -> None:
    tab = upload(name, content)
    assert not tab.exception
    assert words in tab.error[0].value
    assert stored(own_data) is None


def test_what_a_notebook_says_is_shown_inert(upload: Upload) -> None:
    hostile = "%cd <img src=x> **жирно** [тут](http://a.example) :red[цвет] $x$"
    cells = [{"cell_type": "code", "source": f"{hostile}\nx = 1"}]
    told = upload("hw.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode()).info[0].value
    assert "\\<img" in told
    assert "**жирно" not in told
    assert "](http" not in told
