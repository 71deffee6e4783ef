"""From what the judge found to the verdict: points, outcomes, words. A check without exactly one answer has failed.

Leaves out the sentences for single findings (``graders.host.sentences``).
"""

from __future__ import annotations

import dataclasses
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
    found = [record.unloaded or _answer(info, record) for info in exercise.checks]
    checks = tuple(_check(info, each, exercise) for info, each in zip(exercise.checks, found, strict=True))
    traceback = ""
    if record.unloaded is not None:
        traceback = clean(str(record.unloaded.get("traceback", "")))
        checks = tuple(dataclasses.replace(check, traceback="", hint="") for check in checks)
    first = _first(checks, found)
    return Verdict(
        exercise=exercise.slug,
        outcome=_outcome(checks, first),
        message=first.message if first else sentences.ALL_PASSED,
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
    chosen = next((finding for finding in found if finding.get("kind") != "passed"), {"kind": "passed"})
    return {**chosen, "output": "".join(str(finding.get("output", "")) for finding in found)}


def _check(info: CheckInfo, found: dict[str, Any], exercise: Exercise) -> Check:
    output = str(found.get("output", ""))
    if found.get("kind") == "passed":
        return Check(info.id, info.title, info.concept, info.points, info.points, Outcome.PASSED, output=output)
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
        output=output,
    )


def _first(checks: tuple[Check, ...], found: list[dict[str, Any]]) -> Check | None:
    """The failed check that sums up: the first of the file among those that ran; their order was left to chance."""
    bad = [(check, each) for check, each in zip(checks, found, strict=True) if check.outcome is not Outcome.PASSED]
    ran = (check for check, each in bad if not each.get("never"))
    return next(ran, bad[0][0] if bad else None)


def _outcome(checks: tuple[Check, ...], first: Check | None) -> Outcome:
    if first is None:
        return Outcome.PASSED
    return Outcome.PARTIAL if any(check.earned for check in checks) else first.outcome
