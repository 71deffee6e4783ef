"""The decision wizard: every way ends, every verdict can be reached, and broken choices are told."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

import settings
from cli import check
from lessons.crossroads import Decision, Verdict
from lessons.decision import follow
from lessons.loader import load

TREE = """
[[question]]
id = "first"
text = "Яблоко есть?"
answers = [{ text = "Да", to = "second", because = "Оно есть." }, { text = "Нет", to = "buy", because = "Его нет." }]

[[question]]
id = "second"
text = "Нож есть?"
answers = [{ text = "Да", to = "cut", because = "Есть." }, { text = "Нет", to = "buy", because = "Нет." }]

[[verdict]]
id = "cut"
title = "Резать"
text = "Режьте."
first = "Возьмите нож."
rejected = []

[[verdict]]
id = "buy"
title = "Купить"
text = "Купите."
first = "Идите."
rejected = []
"""


@pytest.fixture(scope="module")
def ours() -> Decision:
    here = settings.load({})
    found = load(here.content_dir, check.gather(here)[0]).decision
    assert found is not None
    return found


def ends(decision: Decision) -> set[str]:
    """Every verdict that some way reaches."""
    found, open_ways = set(), [()]
    for _ in count():
        if not open_ways:
            return found
        way = open_ways.pop()
        here = follow(decision, way)[1]
        if isinstance(here, Verdict):
            found.add(here.id)
        else:
            open_ways += [(*way, place) for place in range(len(here.answers))]
    return found


def test_every_way_ends_and_every_verdict_has_a_way(ours: Decision) -> None:
    assert ends(ours) == {verdict.id for verdict in ours.verdicts}


def test_a_way_tells_its_reasons_and_stops_at_an_answer_that_is_not_there(ours: Decision) -> None:
    way, here = follow(ours, (2, 0, 0))
    assert [answer.because for _, answer in way][1] == "Не хватает знаний, а не умения."
    assert isinstance(here, Verdict)
    assert here.id == "rag"
    assert follow(ours, (2, 99)) == follow(ours, (2,))


def test_cases_cover_many_verdicts_and_no_one_pattern_wins(ours: Decision) -> None:
    rights = [case.right for case in ours.cases]
    assert len(rights) >= 12
    assert len(set(rights)) >= 9
    assert max(map(rights.count, rights)) <= 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('to = "cut"', 'to = "cutt"', "ближайш"),
        ('to = "second"', 'to = "buy"', "не ведёт ни один ответ"),
        ('id = "second"\ntext = "Нож есть?"\nanswers = [{ text = "Да", to = "cut"',
         'id = "second"\ntext = "Нож есть?"\nanswers = [{ text = "Да", to = "first"', "ведёт назад"),
    ],
)  # fmt: skip
def test_a_broken_choice_is_told(site: Any, old: str, new: str, told: str) -> None:
    site.write("decision.toml", TREE.replace(old, new))
    course, faults = site.leniently()
    assert course.decision is None
    assert any(told in fault.message for fault in faults), faults


def test_too_few_cases_are_told_but_shown(site: Any) -> None:
    site.write("decision.toml", TREE)
    course, faults = site.leniently()
    assert course.decision is not None
    assert [fault.message for fault in faults] == ["случаев 0, а нужно не меньше 12"]
