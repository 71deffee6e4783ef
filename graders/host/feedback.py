"""From what the judge found to the verdict: points, outcomes, words. A check without exactly one answer has failed.

Leaves out the sentences for single findings (``graders.host.sentences``).
"""

from __future__ import annotations

from typing import Any

from graders.exercise import CheckInfo, Exercise
from graders.host import sentences
from graders.host.output import clean
from graders.host.session import Record
from graders.protocol import Check, Outcome, Trial, Verdict

_LONGEST = 2_000


def short(exercise: str, outcome: Outcome, message: str, version: str = "") -> Verdict:
    """A verdict without checks."""
    return Verdict(exercise=exercise, outcome=outcome, message=message, exercise_version=version)


def verdict(exercise: Exercise, record: Record) -> Verdict:
    """The verdict on a graded submission."""
    if record.unloaded is not None:
        checks = tuple(_check(info, record.unloaded, exercise) for info in exercise.checks)
        traceback = clean(str(record.unloaded.get("traceback", "")))
        checks = tuple(_without_traceback(check) for check in checks)
    else:
        checks = tuple(_check(info, _answer(info, record), exercise) for info in exercise.checks)
        traceback = ""
    return Verdict(
        exercise=exercise.slug,
        outcome=_outcome(checks),
        message=next((check.message for check in checks if check.outcome is not Outcome.PASSED), sentences.ALL_PASSED),
        checks=checks,
        output=record.output,
        traceback=traceback,
        seconds=record.seconds,
        exercise_version=exercise.version,
    )


def trial(exercise: Exercise, record: Record) -> Trial:
    """What «Запустить» answers."""
    found = record.unloaded or record.tried or {"kind": "gone"}
    if found.get("kind") == "passed":
        return Trial(Outcome.PASSED, "", record.output, clean(str(found.get("value", ""))), "", record.seconds)
    outcome, message = sentences.explain(found, exercise)
    traceback = clean(str(found.get("traceback", "")))
    return Trial(outcome, clean(message), record.output, "", traceback, record.seconds)


def _answer(info: CheckInfo, record: Record) -> dict[str, Any]:
    """The one finding for a check; the first that is not passed where it ran with several parameters."""
    name = f"test_{info.id}"
    found = [finding for test, finding in record.results if test == name]
    if not found or len(found) != record.collected.get(name):
        return {"kind": "gone", "why": "", "code": None} if not found else {"kind": "protocol"}
    return next((finding for finding in found if finding.get("kind") != "passed"), {"kind": "passed"})


def _check(info: CheckInfo, found: dict[str, Any], exercise: Exercise) -> Check:
    if found.get("kind") == "passed":
        return Check(info.id, info.title, info.concept, info.points, info.points, Outcome.PASSED)
    outcome, message, misconception = Outcome.FAILED, "", ""
    if found.get("kind") == "mistake":
        message, misconception = str(found["sentence"]), str(found["misconception"])
    else:
        outcome, message = sentences.explain(found, exercise)
    return Check(
        id=info.id,
        title=info.title,
        concept=info.concept,
        points=info.points,
        earned=0.0,
        outcome=outcome,
        message=clean(message)[:_LONGEST],
        expected=clean(str(found.get("expected", "")))[:_LONGEST],
        got=clean(str(found.get("got", "")))[:_LONGEST],
        hint=info.hint,
        misconception=misconception or (info.misconception if found.get("kind") == "assertion" else ""),
        traceback=clean(str(found.get("traceback", ""))),
    )


def _without_traceback(check: Check) -> Check:
    data = {name: getattr(check, name) for name in Check.__dataclass_fields__}
    return Check(**{**data, "traceback": "", "hint": ""})


def _outcome(checks: tuple[Check, ...]) -> Outcome:
    bad = [check.outcome for check in checks if check.outcome is not Outcome.PASSED]
    if not bad:
        return Outcome.PASSED
    return Outcome.PARTIAL if any(check.earned for check in checks) else bad[0]
