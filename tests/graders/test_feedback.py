"""From findings to points: only exactly one finding, and a good one, earns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graders.exercise import load
from graders.host import feedback
from graders.host.session import Record
from graders.protocol import Outcome, Verdict

EXERCISE = load(Path(__file__).parent / "exercises" / "double")
NAMES = ["test_tensor", "test_negative", "test_count", "test_layer"]
GOOD: dict[str, Any] = {"kind": "passed"}


def verdict(results: list[tuple[str, dict[str, Any]]], collected: dict[str, int] | None = None) -> Verdict:
    counts = dict.fromkeys(NAMES, 1) if collected is None else collected
    return feedback.verdict(EXERCISE, Record(collected=counts, results=results))


def test_all_good_earns_all() -> None:
    found = verdict([(name, GOOD) for name in NAMES])
    assert (found.outcome, found.points) == (Outcome.PASSED, EXERCISE.points)


@pytest.mark.parametrize(
    ("results", "collected"),
    [
        ([], None),
        ([(name, GOOD) for name in NAMES[:3]], None),
        ([(name, GOOD) for name in [*NAMES, "test_layer"]], None),
        ([(name, GOOD) for name in NAMES], {}),
        ([(name, GOOD) for name in NAMES], {**dict.fromkeys(NAMES, 1), "test_layer": 2}),
        ([(name, GOOD) for name in NAMES[:3]] + [("test_lair", GOOD)], None),
        ([(name, GOOD) for name in NAMES[:3]] + [("test_layer", {})], None),
        ([(name, GOOD) for name in NAMES[:3]] + [("test_layer", {"kind": "PASSED"})], None),
    ],
    ids=["nothing", "missing", "doubled", "uncollected", "half", "renamed", "empty", "shouted"],
)
def test_anything_but_one_good_finding_fails(
    results: list[tuple[str, dict[str, Any]]], collected: dict[str, int] | None
) -> None:
    found = verdict(results, collected)
    layer = found.checks[3]
    assert layer.outcome is not Outcome.PASSED
    assert layer.earned == 0
    assert found.outcome is not Outcome.PASSED


def test_parameters_of_one_check_all_have_to_pass() -> None:
    bad = {"kind": "mistake", "misconception": "X", "sentence": "Нет.", "expected": "1", "got": "2"}
    counts = {**dict.fromkeys(NAMES, 1), "test_count": 2}
    rest = [(name, GOOD) for name in NAMES if name != "test_count"]
    assert verdict([*rest, ("test_count", GOOD), ("test_count", GOOD)], counts).outcome is Outcome.PASSED
    found = verdict([*rest, ("test_count", GOOD), ("test_count", bad)], counts)
    assert (found.outcome, found.message) == (Outcome.PARTIAL, "Нет.")


@pytest.mark.parametrize(
    ("finding", "outcome"),
    [
        ({"kind": "gone", "why": "timeout"}, Outcome.TIMEOUT),
        ({"kind": "gone", "why": "memory"}, Outcome.MEMORY),
        ({"kind": "gone", "why": "output"}, Outcome.CRASHED),
        ({"kind": "gone", "why": "", "code": 0}, Outcome.CRASHED),
        ({"kind": "gone", "why": "", "code": -11}, Outcome.CRASHED),
        ({"kind": "gone", "why": "", "code": -200}, Outcome.CRASHED),
        ({"kind": "protocol"}, Outcome.PROTOCOL),
        ({"kind": "refused", "sentence": "значение типа X"}, Outcome.PROTOCOL),
        ({"kind": "error", "type": "MemoryError", "message": ""}, Outcome.MEMORY),
        ({"kind": "error", "type": "OSError", "message": "[Errno 101] Network is unreachable"}, Outcome.FORBIDDEN),
        ({"kind": "error", "type": "ValueError", "message": "x", "line": 3}, Outcome.FAILED),
        ({"kind": "assertion", "sentence": "Так не пойдёт"}, Outcome.FAILED),
        ({"kind": "unforeseen"}, Outcome.FAILED),
    ],
)
def test_what_did_not_load_fails_everything_with_a_sentence(finding: dict[str, Any], outcome: Outcome) -> None:
    found = feedback.verdict(EXERCISE, Record(unloaded=finding))
    assert (found.outcome, found.points, len(found.checks)) == (outcome, 0, 4)
    assert found.message
    assert Verdict.from_json(found.to_json()) == found


def test_what_ran_sums_up_not_what_was_never_reached() -> None:
    looped, never = ({"kind": "gone", "why": "timeout", "never": never} for never in (False, True))
    found = verdict([("test_count", looped), *((name, never) for name in NAMES if name != "test_count")])
    assert (found.outcome, found.message) == (Outcome.TIMEOUT, found.checks[2].message)
    assert "бесконечного цикла" in found.message
    assert "не дошло" in found.checks[0].message


def test_output_of_all_parameters_of_a_check_is_shown() -> None:
    counts = {**dict.fromkeys(NAMES, 1), "test_count": 2}
    results = [(name, {**GOOD, "output": f"{name} "}) for name in [*NAMES, "test_count"]]
    found = verdict(results, counts)
    assert found.outcome is Outcome.PASSED
    assert [check.output for check in found.checks] == [f"{name} " * counts[name] for name in NAMES]


def test_what_the_learner_wrote_cannot_act_or_swell() -> None:
    finding = {"kind": "error", "type": "E\x1b[2J", "message": "\u202e" + "я" * 10**5, "traceback": "a\x07"}
    found = feedback.verdict(EXERCISE, Record(unloaded=finding))
    assert "\x1b" not in found.message
    assert "\u202e" not in found.message
    assert len(found.message) <= 2_000
    assert found.traceback == "a�"
