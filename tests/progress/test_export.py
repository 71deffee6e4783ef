"""Tables for download: readable in a Russian spreadsheet, and inert there."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.protocol import Outcome
from progress import export
from progress.learning import Answer
from progress.reports import ClassProgress, Misconception, Result
from progress.roster import Attempt, Person, Work
from progress.states import State
from tests.progress.courses import LESSON, LINEAR

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
ANNA, EVIL = Person("anna", "Анна «Ё»; Петрова", sample=True), Person("evil", '=HYPERLINK("http://x")')


def read(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_progress_is_told_in_words() -> None:
    states = {
        "anna": {item.id: State.PROVEN for item in LESSON.items},
        "evil": {item.id: State.CONTRADICTED for item in LESSON.items},
    }
    rows = read(export.progress_csv(ClassProgress(LESSON, (ANNA, EVIL), states)))
    assert rows[0][:3] == ["Учащийся", "Пометка", "Понимаю 0"]
    assert rows[1] == ["Анна «Ё»; Петрова", "пример", *["доказано"] * 8]
    assert rows[2] == ['\'=HYPERLINK("http://x")', "", *["расхождение"] * 8]


def test_results_have_decimal_commas_and_times() -> None:
    last = Attempt(1, "lora-linear", 1, NOW, Outcome.PARTIAL)
    results = [Result(ANNA, "lora-linear", 3, 1.5, 3.5, False, last), Result(EVIL, "gone", 0, 0.0, 0.0, False, None)]
    rows = read(export.results_csv(results, [LINEAR]))
    assert rows[1][2:] == ["LoRALinear с нуля", "3", "1,5", "3,5", "нет", "2026-11-20 12:05"]
    assert rows[2][2:] == ["gone", "0", "0", "0", "нет", ""]


def test_every_answer_is_a_row() -> None:
    given = Answer("lora-math", "q1", 2, {}, False, "guess", "", True, NOW - timedelta(days=1))
    rows = read(export.answers_csv([Work(ANNA, answers=(given,))], {("lora-math", "q1"): "-1 или 1?"}))
    assert rows[1][2:] == ["lora-math", "'-1 или 1?", "2", "нет", "угадываю", "да", "2026-11-19 12:05"]


def test_misconceptions() -> None:
    rows = read(export.misconceptions_csv([Misconception("B_RANDOM_INIT", "B заполняют случайно", 3, 5)]))
    assert rows[1] == ["B заполняют случайно", "3", "5", "B_RANDOM_INIT"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u00a0+", "＝", "＋", "－", "＠"])
def test_nothing_that_a_person_wrote_becomes_a_formula(start: str) -> None:
    assert export.cell(f"{start}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("text", ["Анна", "", "a=b", "1-2", "«=»", "почта@дом"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert export.cell(text) == text


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), max_size=5))
def test_any_text_stays_in_its_cell(rows: list[list[str]]) -> None:
    got = read(export.table(["a", "b"], rows))
    assert len(got) == len(rows) + 1
    for row, want in zip(got[1:], rows, strict=True):
        assert [cell.removeprefix("'") for cell in row] == [cell.removeprefix("'") for cell in want]


@pytest.mark.parametrize(
    ("value", "text"), [(0.1 + 0.2, "0,3"), (2.0, "2"), (1234567.5, "1234567,5"), (0.0, "0"), (7, "7")]
)
def test_numbers_can_be_summed(value: float, text: str) -> None:
    assert export.cell(value) == text
