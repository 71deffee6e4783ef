"""From the blocks of lesson.md as written to the pieces that a page shows: every reference resolved or a fault.

Leaves out rules about the whole lesson (``standards``).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from lessons.drawings import figure_file, figure_problem
from lessons.faults import nearest
from lessons.filling import Filler
from lessons.markdown import Directive, Passage, Section
from lessons.model import (
    Arrow,
    Block,
    CodeRef,
    DemoRef,
    ExerciseRef,
    FigureRef,
    MineRef,
    MineView,
    Part,
    PartName,
    Piece,
    Prose,
    QuizRef,
    RunRef,
)
from lessons.quoting import QuoteError, quote
from lessons.reading import Source
from lessons.shelf import Shelf

ARROW = "⟶"
SILENT = " ask=no"
"""A demo with this does not put its own question first: the lesson asks one of its own, or none."""
Check = Callable[[str, Mapping[str, Any]], object]


class Composer:
    """Builds the blocks of one lesson."""

    def __init__(self, source: Source, shelf: Shelf, questions: list[str]) -> None:
        self._source, self._shelf = source, shelf
        self._filler = Filler(shelf, source)
        self._questions = questions
        self._asked: dict[str, int] = {}  # question → line where it is asked
        self._special: dict[str, Callable[[Directive], Piece | None]] = {
            "demo": self._demo,
            "run": self._run,
            "mine": self._mine,
            "quiz": self._quiz,
            "figure": self._figure,
            "code": self._code,
            "exercise": self._exercise,
        }

    def blocks(self, sections: list[Section]) -> tuple[Block, ...]:
        """The blocks; pieces with faults are left out (the lesson is then not shown)."""
        self._note_asked(sections)
        return tuple(self._block(section) for section in sections)

    def _block(self, section: Section) -> Block:
        pieces = [self._piece(item) for item in section.items]
        title = self._text(section.title, section.line, "##")
        kept = tuple(piece for piece in pieces if piece is not None)
        for item in [item for item in section.items if isinstance(item, Directive) and item.name == "mine"][1:]:
            self._fault(item, "в блоке уже есть «::: mine»: одного выбора адаптера на страницу довольно")
        return Block(section.id, title, section.depth, section.minutes, kept)

    def _piece(self, item: Passage | Directive) -> Piece | None:
        if isinstance(item, Passage):
            return Prose(self._text(item.text, item.line))
        if item.name in self._special:
            return self._special[item.name](item)
        if item.words:
            self._fault(item, f"после «::: {item.name}» ничего не пишут")
        name: PartName = item.name  # type: ignore[assignment]  # the parser lets only known names through
        return Part(name)

    def _text(self, text: str, line: int, key: str = "") -> str:
        return self._filler.text(text, lambda: line, key)

    def _fault(self, item: Directive, message: str, snippet: str = "") -> None:
        line = self._source.seek(item.line, snippet) if snippet else item.line
        self._source.fault(line, item.name, message)

    def _demo(self, item: Directive) -> DemoRef | None:
        known, words = self._shelf.known, item.words.replace(SILENT, "")
        found = self._named(replace(item, words=words), known.demos, ("демонстрации", "демонстрация"), known.preset)
        return None if found is None else DemoRef(*found, asks=words == item.words)

    def _run(self, item: Directive) -> RunRef | None:
        known = self._shelf.known
        found = self._named(item, known.runs, ("запуска", "запуск"), known.run_preset)
        return None if found is None else RunRef(*found)

    def _mine(self, item: Directive) -> MineRef | None:
        views = get_args(MineView)
        if item.words in views:
            return MineRef(item.words)  # type: ignore[arg-type]  # one of them
        self._fault(item, f"со своим адаптером не делают «{item.words}»{nearest(item.words, views)}")
        return None

    def _named(
        self, item: Directive, known: Mapping[str, frozenset[str]], called: tuple[str, str], check: Check | None
    ) -> tuple[str, dict[str, str], frozenset[str]] | None:
        """``NAME field=value lock=field``: the name, the preset and the locked fields. ``called``: of what, what."""
        try:
            name, *words = shlex.split(item.words) or [""]
        except ValueError:
            self._fault(item, "кавычка не закрыта")
            return None
        if name not in known:
            self._fault(item, f"нет {called[0]} «{name}»{nearest(name, known)}")
            return None
        preset = dict(word.split("=", 1) for word in words if "=" in word)
        for word in words:
            if "=" not in word:
                self._fault(item, f"«{word}»: нужно поле=значение")
        locked = frozenset(filter(None, preset.pop("lock", "").split(",")))
        for unknown in sorted((preset.keys() | locked) - known[name]):
            self._fault(item, f"у {called[0]} «{name}» нет поля «{unknown}»{nearest(unknown, known[name])}")
        if check is not None and preset.keys() <= known[name]:
            try:
                check(name, preset)
            except ValueError as error:
                self._fault(item, f"{called[1]} «{name}» не принимает эти значения: {error}")
        return name, preset, locked

    def _note_asked(self, sections: list[Section]) -> None:
        """Where each question is asked: by name first, so that a bare ``::: quiz`` above knows what is left."""
        items = [item for section in sections for item in section.items if isinstance(item, Directive)]
        quizzes = [item for item in items if item.name == "quiz"]
        for item in quizzes:
            for name in item.words.split():
                if name not in self._questions:
                    self._fault(item, f"нет вопроса «{name}» в quiz.toml{nearest(name, self._questions)}")
                elif name in self._asked:
                    self._fault(item, f"вопрос «{name}» уже задан в строке {self._asked[name]}")
                self._asked.setdefault(name, item.line)
        bare = [item for item in quizzes if not item.words]
        for item in bare[1:]:
            self._fault(item, f"«::: quiz» без имён уже стоит в строке {bare[0].line}")
        left = [name for name in self._questions if name not in self._asked]
        if left and not bare:
            line = quizzes[-1].line if quizzes else 1
            self._source.fault(line, "quiz", f"вопросы никто не задаёт: {', '.join(left)}; добавьте «::: quiz»")
        if bare and not left:
            self._fault(bare[0], "для «::: quiz» не осталось вопросов: все уже заданы по именам")

    def _quiz(self, item: Directive) -> QuizRef:
        named = tuple(item.words.split())
        return QuizRef(named or tuple(name for name in self._questions if name not in self._asked))

    def _figure(self, item: Directive) -> FigureRef | None:
        lines = [line.strip() for line in item.body if line.strip()]
        path = figure_file(self._source.file.parent, item.words)
        problem = figure_problem(path, item.words)
        if problem:
            self._fault(item, problem)
        if not lines:
            self._fault(item, "первая строка тела — описание рисунка для тех, кто его не видит; её нет")
            return None
        alt = self._text(lines[0], item.line, item.name)
        caption = self._text("\n".join(lines[1:]), item.line, item.name)
        return None if problem or path is None else FigureRef(path, alt, caption)

    def _code(self, item: Directive) -> CodeRef | None:
        path, _, name = item.words.partition(":")
        try:
            source, first = quote(path, name, self._shelf.known.root)
        except QuoteError as error:
            self._fault(item, str(error))
            return None
        lines = source.split("\n")
        arrows = [self._arrow(item, line, lines) for line in item.body if line.strip()]
        return CodeRef(path, name, source, first, tuple(arrow for arrow in arrows if arrow))

    def _arrow(self, item: Directive, written: str, lines: list[str]) -> Arrow | None:
        fragment, mark, remark = (part.strip() for part in written.partition(ARROW))
        if not (fragment and mark and remark):
            self._fault(item, f"стрелку пишут так: кусок кода {ARROW} пояснение", written)
            return None
        line = next((number for number, text in enumerate(lines, 1) if fragment in text), None)
        if line is None:
            self._fault(item, f"в {item.words} нет куска «{fragment}»", written)
            return None
        at = self._source.seek(item.line, written)
        return Arrow(line, self._text(remark, at, item.name))

    def _exercise(self, item: Directive) -> ExerciseRef | None:
        problem = self._shelf.missing_exercise(item.words)
        if problem:
            self._fault(item, problem)
        return None if problem else ExerciseRef(item.words)
