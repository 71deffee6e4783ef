"""A file that was graded before is answered at once from its verdict, and the page says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import settings
from graders.exercise import load
from graders.protocol import Check, Outcome, Verdict
from progress import submissions
from progress.database import Database
from progress.identity import LOCAL
from tests.ui.test_exercise import words

SLUG = "lora-linear"


@pytest.fixture
def sent_twice(visit: Callable[..., AppTest], own_data: settings.Settings) -> AppTest:
    """A first submission graded «PARTIAL», a second one graded «FAILED», then the first one's text once more."""
    database, version = Database(own_data.database), load(own_data.exercises_dir / SLUG).version
    for source, outcome in ((b"one = 1\n", Outcome.PARTIAL), (b"two = 2\n", Outcome.FAILED)):
        sent = submissions.submit(database, LOCAL, SLUG, source)
        checks = (Check("scale", f"проверка файла {source.decode().strip()}", "scale", 2, 1, outcome, "Почти."),)
        verdict = Verdict(SLUG, outcome, "Итог.", checks, exercise_version=version)
        submissions.store_verdict(database, sent.id, verdict)
    tab = visit("exercise", id=SLUG)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    tab.text_area[0].set_value("one = 1\n").run()
    return tab.button(key=f"plain-submit-{SLUG}").click().run()


def test_the_earlier_verdict_is_shown_and_nothing_is_charged(sent_twice: AppTest, own_data: settings.Settings) -> None:
    assert not sent_twice.exception
    notice = next(info.value for info in sent_twice.info)
    assert notice.startswith("Это же решение вы уже присылали: попытка 1,")
    shown = words(sent_twice)
    assert "проверка файла one" in shown
    assert len(submissions.attempts(Database(own_data.database), LOCAL, SLUG)) == 2
    assert not sent_twice.status


def test_the_next_press_takes_the_notice_away(sent_twice: AppTest, own_data: settings.Settings) -> None:
    sent_twice.text_area[0].set_value("three = 3\n").run()
    sent_twice.button(key=f"plain-submit-{SLUG}").click().run()
    assert not any("уже присылали" in info.value for info in sent_twice.info)
    assert len(submissions.attempts(Database(own_data.database), LOCAL, SLUG)) == 3
