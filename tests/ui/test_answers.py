"""Judging answers: each kind of question, right and wrong, with the remark that names the mistake."""

from __future__ import annotations

import doctest

import pytest

from lessons.model import Option, Question, QuestionKind, WrongNumber
from ui import answers


def question(kind: QuestionKind, **parts: object) -> Question:
    base: dict[str, object] = {"id": "q", "text": "?", "concept": "c", "block": "b", "explanation": "!"}
    return Question(kind=kind, **{**base, **parts})  # type: ignore[arg-type]


CHOICE = (
    Option("нули", right=True, why="Тогда правка равна нулю."),
    Option("случайные", why="Тогда слой сразу отличается от базового.", misconception="B_RANDOM_INIT"),
)


def test_a_wrong_choice_is_told_its_own_reason_and_misconception() -> None:
    judged = answers.judge(question("single", options=CHOICE), {"chosen": "случайные"})
    assert not judged.right
    assert judged.remarks == ("Тогда слой сразу отличается от базового.",)
    assert judged.misconception == "B_RANDOM_INIT"


def test_a_right_choice_has_no_misconception() -> None:
    judged = answers.judge(question("predict", options=CHOICE), {"chosen": "нули"})
    assert (judged.right, judged.misconception) == (True, "")


def test_an_option_that_no_longer_exists_is_wrong_not_an_error() -> None:
    assert not answers.judge(question("single", options=CHOICE), {"chosen": "переписанный вариант"}).right


SEVERAL = (Option("A", right=True), Option("B", right=True), Option("W", why="W заморожена.", misconception="GRAD"))


@pytest.mark.parametrize(
    ("chosen", "right", "said"),
    [
        (["A", "B"], True, ""),
        (["B", "A"], True, ""),
        (["A"], False, "не хватает ещё 1\u00a0пункта"),
        (["A", "B", "W"], False, "W заморожена."),
    ],
)
def test_several_wants_exactly_the_right_ones(chosen: list[str], right: bool, said: str) -> None:
    judged = answers.judge(question("several", options=SEVERAL), {"chosen": chosen})
    assert judged.right is right
    assert said in " ".join(judged.remarks)


NUMBER = question(
    "number",
    answer=3_407_872.0,
    wrong_numbers=(WrongNumber(4_194_304.0, "Вы забыли, что k и v у́же.", "GQA_FORGOTTEN"),),
)


@pytest.mark.parametrize("typed", ["3407872", "3 407 872", "3\u00a0407\u00a0872", "3407872,0"])
def test_a_number_is_read_as_people_type_it(typed: str) -> None:
    assert answers.judge(NUMBER, {"number": typed}).right


def test_a_number_of_a_known_wrong_formula_is_recognised() -> None:
    judged = answers.judge(NUMBER, {"number": "4 194 304"})
    assert (judged.right, judged.misconception) == (False, "GQA_FORGOTTEN")
    assert "забыли" in judged.remarks[0]


def test_another_wrong_number_is_told_how_far_it_is() -> None:
    assert "в 2,0 раза больше" in answers.judge(NUMBER, {"number": "6815744"}).remarks[0]
    assert "100\u00a0раз меньше" in answers.judge(NUMBER, {"number": "34078,72"}).remarks[0]


def test_tolerance_is_relative() -> None:
    loose = question("number", answer=100.0, tolerance=0.05)
    assert answers.judge(loose, {"number": "104"}).right
    assert not answers.judge(loose, {"number": "106"}).right


@pytest.mark.parametrize("typed", ["много", "", "nan", "1e999"])
def test_what_is_no_number_is_said_so(typed: str) -> None:
    with pytest.raises(answers.NotANumber, match="нужно число"):
        answers.judge(NUMBER, {"number": typed})


STEPS = (Option("раз"), Option("два", why="Сначала раз."), Option("три"))


def test_order_names_the_first_place_that_differs() -> None:
    asked = question("order", options=STEPS)
    assert answers.judge(asked, {"order": ["раз", "два", "три"]}).right
    judged = answers.judge(asked, {"order": ["раз", "три", "два"]})
    assert not judged.right
    assert "на месте 2" in judged.remarks[0]


def test_match_explains_every_wrong_pair() -> None:
    why = "Её высота равна выходу."
    asked = question("match", options=(Option("A", pair="r × k"), Option("B", pair="d × r", why=why)))
    assert answers.judge(asked, {"pairs": {"A": "r × k", "B": "d × r"}}).right
    judged = answers.judge(asked, {"pairs": {"A": "d × r", "B": "r × k"}})
    assert not judged.right
    assert judged.remarks == (f"B — d × r. {why}",)


def test_shuffling_is_the_same_every_time_and_never_shows_the_right_order() -> None:
    steps = [str(i) for i in range(5)]
    orders = {tuple(answers.shuffled(steps, f"ученик {i}", "вопрос")) for i in range(50)}
    assert answers.shuffled(steps, "я", "вопрос") == answers.shuffled(steps, "я", "вопрос")
    assert tuple(steps) not in orders
    assert len(orders) > 10


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(answers).failed == 0
