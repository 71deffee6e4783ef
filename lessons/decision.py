"""content/decision.toml: a choice taken question by question, its verdicts, and cases to try one's judgement on.

Every way ends in a verdict, no way goes in a circle, every verdict can be reached, and each case's right verdict too.
Leaves out showing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lessons import schema
from lessons.crossroads import Answer, Case, Crossroad, Decision, Verdict
from lessons.faults import Collector, nearest
from lessons.filling import fill
from lessons.reading import Document, read_toml
from lessons.shelf import Shelf

FILE = "decision.toml"
CASES = 12


@dataclass(frozen=True, slots=True)
class _Tables:
    questions: Mapping[str, Crossroad]
    verdicts: Mapping[str, Verdict]


def read(content: Path, shelf: Shelf, collector: Collector) -> Decision | None:
    """The choice, or None when the course has none or it is too broken to be taken."""
    document = read_toml(content / FILE, content, collector, optional=True)
    if document is None:
        return None
    schema.only(document, "question", "verdict", "case")
    filled, before = fill(document, shelf), len(collector.faults)
    questions = [one for _, one in schema.build_list(Crossroad, "question", document, filled)]
    verdicts = [one for _, one in schema.build_list(Verdict, "verdict", document, filled)]
    cases = [one for _, one in schema.build_list(Case, "case", document, filled)]
    tables = _Tables({one.id: one for one in questions}, {one.id: one for one in verdicts})
    for index, problem in _lost(questions, tables):
        document.at(("question", index, "answers"), problem)
    for index, verdict in enumerate(verdicts):
        lesson, _, block = verdict.lesson.partition("#")
        if lesson and (problem := shelf.missing_lesson(lesson, block)):
            document.at(("verdict", index, "lesson"), problem)
    _judged(cases, tables, document)
    if any(fault.path == document.shown for fault in collector.faults[before:]) or not questions:
        return None
    if len(cases) < CASES:
        document.fault(1, "case", f"случаев {len(cases)}, а нужно не меньше {CASES}", breaks=False)
    return Decision(tuple(questions), tuple(verdicts), tuple(cases))


def _lost(questions: list[Crossroad], tables: _Tables) -> Iterator[tuple[int, str]]:
    """Answers that lead nowhere or back, and what no way leads to."""
    ahead: dict[str, int] = {one.id: place for place, one in enumerate(questions)}
    reached = {questions[0].id} if questions else set()
    for place, one in enumerate(questions):
        if one.id not in reached:
            yield place, f"к вопросу «{one.id}» не ведёт ни один ответ"
        for answer in one.answers:
            if answer.to not in ahead and answer.to not in tables.verdicts:
                yield (
                    place,
                    f"нет ни вопроса, ни вывода «{answer.to}»{nearest(answer.to, {**ahead, **tables.verdicts})}",
                )
            elif ahead.get(answer.to, place + 1) <= place:
                yield place, f"ответ «{answer.text}» ведёт назад, к «{answer.to}»: вопросы стоят в порядке пути"
            reached.add(answer.to)
    for name in tables.verdicts.keys() - reached:
        yield 0, f"к выводу «{name}» не ведёт ни один ответ"


def _judged(cases: list[Case], tables: _Tables, document: Document) -> None:
    for index, case in enumerate(cases):
        for name in (case.right, *(one.verdict for one in case.wrong)):
            if name not in tables.verdicts:
                document.at(("case", index, "right"), f"нет вывода «{name}»{nearest(name, tables.verdicts)}")
        if case.right in {one.verdict for one in case.wrong} or not case.wrong:
            document.at(("case", index, "wrong"), "нужны неверные выводы, и верного среди них быть не должно")


def follow(decision: Decision, chosen: tuple[int, ...]) -> tuple[list[tuple[Crossroad, Answer]], Crossroad | Verdict]:
    """The way that these answers take, and where it stands: at a question or at a verdict.

    An answer that does not exist ends the way before it.
    """
    questions = {one.id: one for one in decision.questions}
    verdicts = {one.id: one for one in decision.verdicts}
    here: Crossroad | Verdict = decision.questions[0]
    way: list[tuple[Crossroad, Answer]] = []
    for number in chosen:
        if isinstance(here, Verdict) or not 0 <= number < len(here.answers):
            break
        answer = here.answers[number]
        way.append((here, answer))
        here = questions.get(answer.to) or verdicts[answer.to]
    return way, here
