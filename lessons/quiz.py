"""quiz.toml: questions as written, and the rules of each kind.

An answer may name a fact: then it is right by computation. Leaves out how many questions a lesson needs
(``standards``) and where they are asked (``directives``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lessons import schema
from lessons.drawings import figure_problem
from lessons.facts import Spec
from lessons.faults import nearest
from lessons.filling import fill
from lessons.model import Artefact, Option, Question, QuestionKind, WrongNumber
from lessons.positions import Place
from lessons.reading import Document
from lessons.shelf import Shelf

BYTES: Mapping[str, float] = {
    "Б": 1.0,
    **dict(zip(("КБ", "МБ", "ГБ", "ТБ"), (1e3, 1e6, 1e9, 1e12), strict=True)),
    **dict(zip(("КиБ", "МиБ", "ГиБ", "ТиБ"), (2.0**10, 2.0**20, 2.0**30, 2.0**40), strict=True)),
}
"""Units in which a fact in bytes may be asked for."""


@dataclass(frozen=True, slots=True)
class WrittenWrong:
    """A known wrong number as written: a literal or a fact."""

    value: float | str
    why: str
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question as its author wrote it."""

    id: str
    kind: QuestionKind
    concept: str
    block: str
    text: str
    explanation: str
    options: tuple[Option, ...] = ()
    code: str = ""
    answer: float | str | None = None
    tolerance: float = 0.0
    unit: str = ""
    wrong: tuple[WrittenWrong, ...] = ()
    artefact: Artefact = ""
    figure: Path | None = None
    alt: str = ""
    recall: bool = False


def declared(document: Document) -> list[str]:
    """The id of every table of quiz.toml, sound or not: one broken question does not make references to it wrong."""
    rows = document.data.get("question", [])
    tables = [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []
    return [str(row.get("id", "")) for row in tables]


def read(document: Document, shelf: Shelf) -> tuple[Question, ...]:
    """The sound questions of quiz.toml; the rest are faults."""
    schema.only(document, "question")
    written = schema.build_list(WrittenQuestion, "question", document, fill(document, shelf))
    built = [_Checker(document, shelf, index, question).question() for index, question in written]
    return tuple(question for question in built if question is not None)


class _Checker:
    """The rules of one question."""

    def __init__(self, document: Document, shelf: Shelf, index: int, written: WrittenQuestion) -> None:
        self._document, self._shelf, self._written = document, shelf, written
        self._place: Place = ("question", index)
        self._sound = True

    def question(self) -> Question | None:
        """The question, or None after a fault that makes it unusable."""
        written = self._written
        self._fields()
        self._options()
        self._RULES[written.kind](self)
        wrong = tuple(self._wrong(i, one) for i, one in enumerate(written.wrong))
        answer = self._number(written.answer, "answer") if written.answer is not None else None
        self._tell_apart(answer, wrong)
        if not self._sound:
            return None
        return Question(
            written.id, written.kind, written.text, written.concept, written.block, written.explanation,
            written.options, written.code, answer, written.tolerance, written.unit, wrong, written.artefact,
            written.figure, written.alt, written.recall,
        )  # fmt: skip

    def _fault(self, message: str, *keys: str | int, breaks: bool = True) -> None:
        self._document.at((*self._place, *keys), message, breaks=breaks)
        self._sound = self._sound and not breaks

    def _fields(self) -> None:
        written = self._written
        number = written.kind == "number"
        for key in ("answer", "tolerance", "unit", "wrong"):
            if not number and getattr(written, key) not in (None, 0.0, "", ()):
                self._fault('бывает только у вопроса с числом (kind = "number")', key)
        if number and written.options:
            self._fault("у вопроса с числом нет вариантов: известные ошибки пишут в wrong", "options")
        if written.kind in {"spot", "predict"} and not written.code.strip():
            self._fault("к такому вопросу нужен code")
        elif written.artefact and not (written.code.strip() or written.figure):
            self._fault("к artefact нужен code или figure: то, на что смотрит ученик", "artefact")
        if written.figure:
            problem = figure_problem(written.figure, written.figure.name)
            if problem or not written.alt.strip():
                self._fault(problem or "к рисунку нужен alt: что на нём видно", "figure")

    def _options(self) -> None:
        texts = Counter(option.text for option in self._written.options)
        for i, option in enumerate(self._written.options):
            if texts[option.text] > 1:
                self._fault(f"вариант «{option.text}» повторяется", "options", i, "text")
            if option.pair and self._written.kind != "match":
                self._fault('пары бывают только у вопроса на соответствие (kind = "match")', "options", i, "pair")
            if problem := self._shelf.missing_misconception(option.misconception):
                self._fault(problem, "options", i, "misconception")

    def _choice(self, fewest: int = 2) -> None:
        options = self._written.options
        if len(options) < fewest:
            self._fault(f"вариантов нужно не меньше {fewest}", "options")
        for i, option in enumerate(options):
            if not option.right and not option.why.strip():
                self._fault("у неверного варианта нет why: почему так думают и что на деле", "options", i, "text")

    def _single(self) -> None:
        self._choice()
        right = sum(option.right for option in self._written.options)
        if right != 1:
            self._fault(f"верный вариант нужен ровно один, а здесь {right}", "options")

    def _several(self) -> None:
        self._choice(3)
        right = sum(option.right for option in self._written.options)
        if right in {0, len(self._written.options)}:
            self._fault("нужен хотя бы один верный вариант и хотя бы один неверный", "options")

    def _spot(self) -> None:
        self._single()
        last = len(self._written.code.splitlines())
        for i, option in enumerate(self._written.options):
            if not option.text.isdigit() or not 1 <= int(option.text) <= last:
                self._fault(f"нужен номер строки кода, от 1 до {last}", "options", i, "text")

    def _order(self) -> None:
        if len(self._written.options) < 3:
            self._fault("шагов нужно не меньше трёх", "options")
        self._unjudged("порядок и есть ответ: right здесь не пишут")

    def _match(self) -> None:
        options = self._written.options
        pairs = Counter(option.pair for option in options)
        if len(options) < 3:
            self._fault("пар нужно не меньше трёх", "options")
        for i, option in enumerate(options):
            if not option.pair:
                self._fault("нет пары", "options", i)
            elif pairs[option.pair] > 1:
                self._fault(f"пара «{option.pair}» повторяется", "options", i, "pair")
        self._unjudged("пара и есть ответ: right здесь не пишут")

    def _unjudged(self, message: str) -> None:
        for i, option in enumerate(self._written.options):
            if option.right:
                self._fault(message, "options", i, "right")

    def _numeric(self) -> None:
        if self._written.answer is None:
            self._fault("нет ответа: число или имя факта", "answer")
        if not 0 <= self._written.tolerance < 1:
            self._fault("допуск — доля от ответа, от 0 до 1", "tolerance")

    def _wrong(self, index: int, wrong: WrittenWrong) -> WrongNumber:
        if problem := self._shelf.missing_misconception(wrong.misconception):
            self._fault(problem, "wrong", index, "misconception")
        return WrongNumber(self._number(wrong.value, "wrong", index, "value"), wrong.why, wrong.misconception)

    def _number(self, value: float | str, *keys: str | int) -> float:
        """The number that a learner would type: a literal as it stands, a fact in the question's unit."""
        if not isinstance(value, str):
            return float(value)
        ledger = self._shelf.ledger
        if value not in ledger.specs:
            self._fault(f"нет факта «{value}» в facts.toml{nearest(value, ledger.specs)}", *keys)
        elif value not in ledger.facts:
            self._document.spoil()  # facts.toml answers for it
            self._sound = False
        else:
            return self._in_unit(ledger.facts[value].value, ledger.specs[value], *keys)
        return math.nan

    def _in_unit(self, value: float, spec: Spec, *keys: str | int) -> float:
        unit = self._written.unit
        if spec.form == "percent":
            if unit != "%":
                self._fault(f'факт «{spec.id}» — доля в процентах: нужен unit = "%"', *keys)
            return value * 100
        if spec.form in {"bytes", "bytes-binary"}:
            if unit not in BYTES:
                self._fault(f"факт «{spec.id}» — байты: нужен unit, один из: {', '.join(BYTES)}", *keys)
            return value / BYTES.get(unit, 1.0)
        return value

    def _tell_apart(self, answer: float | None, wrong: tuple[WrongNumber, ...]) -> None:
        """A known wrong number that would count as right, or as another wrong one, helps nobody."""
        room = self._written.tolerance
        for i, one in enumerate(wrong):
            if answer is not None and math.isclose(one.value, answer, rel_tol=room, abs_tol=0.0):
                self._fault("это число попадает в допуск верного ответа", "wrong", i, "value")
            elif any(math.isclose(one.value, other.value, rel_tol=1e-9) for other in wrong[:i]):
                self._fault("это число уже есть среди неверных", "wrong", i, "value")

    _RULES: Mapping[str, Callable[[Any], None]] = {
        "single": _single,
        "several": _several,
        "number": _numeric,
        "order": _order,
        "match": _match,
        "spot": _spot,
        "predict": _single,
    }
