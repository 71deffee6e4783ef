"""Facts: computed once, locked, compared when computed again; a recipe that changed since is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lessons import facts
from lessons.facts import Entry, Lock, Spec
from lessons.faults import Collector

NBSP = "\u00a0"


def spec(**given: Any) -> Spec:
    return Spec(**{"id": "x", "form": "integer", "derivation": "d", "function": "f", "field": "value", **given})


@dataclass
class Row:
    count: int


def specs_of(site: Any) -> Mapping[str, Spec]:
    (sheet,) = facts.read_sheets(site.content, Collector())
    return sheet.specs


def lock_of(site: Any) -> Lock:
    collector = Collector()
    lock = facts.read_lock(site.content, site.content, collector)
    assert collector.faults == ()
    return lock


def test_the_lock_keeps_value_text_and_versions(site: Any) -> None:
    lock = lock_of(site)
    assert lock.versions == {"python": "3"}
    assert set(lock.facts) == {"halves.pieces", "halves.share", "halves.added"}, "a sourced fact needs no lock"
    assert (lock.facts["halves.pieces"].value, lock.facts["halves.pieces"].text) == (1024, f"1{NBSP}024")
    assert lock.facts["halves.share"].text == f"0,098{NBSP}%"


def test_writing_and_reading_the_lock_changes_nothing(site: Any) -> None:
    odd = Entry(1e-22, 'a "b" \\ ж', "form", 0.1, "r")
    lock = Lock({"b.c": odd, "a": lock_of(site).facts["halves.share"]}, {"torch": "2.13.0+cpu"})
    facts.write_lock(site.content, lock)
    assert lock_of(site) == lock
    assert list(tomllib.loads(site.read("facts.lock.toml"))["facts"]) == ["a", "b.c"], "in order, for readable diffs"


def test_a_fact_that_is_not_in_the_lock_keeps_its_lesson_out(site: Any) -> None:
    line = site.change("facts.toml", 'id = "halves.pieces"', 'id = "halves.parts"')
    for name in ("facts.toml", "01-halves/lesson.toml", "01-halves/lesson.md", "01-halves/quiz.toml"):
        site.write(name, site.read(name).replace("halves.pieces", "halves.parts"))
    course, found = site.leniently()
    assert course.lessons == ()
    assert [(fault.line, fault.key) for fault in found] == [(line, "halves.parts")]
    assert "запустите ./course facts" in found[0].message
    site.lock()
    assert site.faults() == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("times = 10", "times = 11"),
        ('field = "pieces"', 'field = "pieces"\ndigits = 1'),
    ],
)
def test_a_changed_recipe_is_stale_until_computed_again(site: Any, old: str, new: str) -> None:
    site.change("facts.toml", old, new)
    assert [fault.key for fault in site.faults()] == ["halves.pieces"]
    site.lock()
    assert site.faults() == ()


def test_a_changed_form_is_stale_until_computed_again(site: Any) -> None:
    for _ in range(2):  # both numbers of the myth's picture, which are of one form
        site.change("facts.toml", 'form = "integer"', 'form = "decimal"')
    assert [fault.key for fault in site.faults()] == ["halves.pieces", "halves.added"]
    site.lock()
    assert site.faults() == ()


def test_a_changed_derivation_or_tolerance_is_not_stale(site: Any) -> None:
    site.change("facts.toml", "Десять удвоений", "Удвоили десять раз")
    site.change("facts.toml", "tolerance = 0.001", "tolerance = 0.01")
    assert site.faults() == ()


def test_without_a_lock_one_fault_says_what_to_run(site: Any) -> None:
    (site.content / "facts.lock.toml").unlink()
    assert [str(fault) for fault in site.faults()] == [
        "content/facts.toml:1: числа ещё не посчитаны (файла facts.lock.toml нет): запустите ./course facts"
    ]


def test_computing_again_agrees_with_the_lock(site: Any, compute: Callable[..., object]) -> None:
    assert facts.verify(specs_of(site).values(), lock_of(site), compute) == ()


def test_a_difference_beyond_the_tolerance_is_told(site: Any, compute: Any) -> None:
    def drifted(name: str, arguments: Mapping[str, Any]) -> Any:
        result = compute(name, arguments)
        return type(result)(result.pieces + 1, result.share * 1.0005, result.added)

    (difference,) = facts.verify(specs_of(site).values(), lock_of(site), drifted)
    assert str(difference) == "halves.pieces: было 1024, вышло 1025 (допуск 0 от величины)"


def test_a_lock_by_hand_is_noticed(site: Any, compute: Callable[..., object]) -> None:
    text = site.read("facts.lock.toml").replace("value = 1024", "value = 1023")
    site.write("facts.lock.toml", text + '\n[facts."gone"]\nvalue=1\ntext="1"\nform="x"\ntolerance=0.0\nrecipe="r"\n')
    messages = {one.id: one.message for one in facts.verify(specs_of(site).values(), lock_of(site), compute)}
    assert messages == {
        "halves.pieces": "было 1023, вышло 1024 (допуск 0 от величины)",
        "gone": "есть в facts.lock.toml, но не в facts.toml",
    }


def test_a_function_is_called_once_for_the_same_arguments() -> None:
    calls: list[object] = []

    def call(name: str, arguments: Mapping[str, Any]) -> object:
        calls.append((name, dict(arguments)))
        return {"value": len(calls), "rows": [Row(4), Row(7)]}

    same = [spec(id="a"), spec(id="b", field="rows.1.count"), spec(id="c", arguments={"n": 2})]
    entries, failed = facts.compute(same, call)
    assert [entry.value for entry in entries.values()] == [1, 7, 2]
    assert failed == ()
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"value": "12"}, "не число, а str"),
        ({"value": True}, "не число, а bool"),
        ({"value": float("nan")}, "не конечное число"),
        ({"other": 1}, "KeyError: 'value'"),
        (Row(1), "AttributeError"),
    ],
)
def test_what_cannot_be_computed_is_told_and_the_rest_goes_on(result: object, says: str) -> None:
    def call(name: str, _: Mapping[str, Any]) -> object:
        return {"value": 3} if name == "good" else result

    entries, failed = facts.compute([spec(), spec(id="y", function="good")], call)
    assert list(entries) == ["y"]
    assert [one.id for one in failed] == ["x"]
    assert says in failed[0].message


def test_an_unknown_demo_is_told_in_the_demos_own_words(compute: Callable[..., object]) -> None:
    _, (failed,) = facts.compute([spec(function="halves.cat")], compute)
    assert str(failed) == "x: не вычисляется: Нет демонстрации «halves.cat»."


OWN = """
[[fact]]
id = "own.pieces"
function = "halves.cut"
arguments = { times = 3 }
field = "pieces"
form = "integer"
derivation = "d"
"""


def test_a_lesson_may_bring_numbers_of_its_own(site: Any) -> None:
    site.write("01-halves/facts.toml", OWN)
    site.write("01-halves/lesson.md", site.read("01-halves/lesson.md") + "\nКусков: {{ fact own.pieces }}.\n")
    assert any("ещё не посчитаны" in fault.message for fault in site.leniently()[1])
    site.lock()
    course, found = site.leniently()
    assert found == ()
    assert course.facts["own.pieces"].text == "8"
    assert "own.pieces" not in site.read("facts.lock.toml")


def test_two_files_cannot_both_tell_a_fact(site: Any) -> None:
    site.write("01-halves/facts.toml", OWN.replace("own.pieces", "halves.pieces"))
    fault = next(fault for fault in site.leniently()[1] if "уже есть" in fault.message)
    assert str(fault.path).endswith("01-halves/facts.toml")
