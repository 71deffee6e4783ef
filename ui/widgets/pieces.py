"""From a piece of a lesson's flow to the widget that shows it."""

from __future__ import annotations

from lessons.model import CodeRef, DemoRef, ExerciseRef, FigureRef, MineRef, Part, Piece, Prose, QuizRef, RunRef
from ui import demos
from ui.record import Record, questions
from ui.widgets.checklist import checklist
from ui.widgets.figure import figure
from ui.widgets.mine import mine
from ui.widgets.myths import myths
from ui.widgets.parts import anchor, errors, lesson_map, next_steps, terms
from ui.widgets.phases import phases
from ui.widgets.prose import prose
from ui.widgets.quiz import question
from ui.widgets.run_panel import panel
from ui.widgets.source import source
from ui.widgets.tasks import task


def show(record: Record, piece: Piece, key: str) -> None:
    """Show one piece; ``key`` is unique within the page."""
    match piece:
        case Prose(text):
            prose(text)
        case Part(name):
            _part(record, name)
        case QuizRef():
            for name in questions(record.lesson, piece):
                question(record, name)
        case FigureRef(path, alt, caption):
            figure(path, alt, key, caption)
        case CodeRef():
            source(piece)
        case DemoRef(name, preset, locked, asks):
            demos.show(name, preset, locked, key, asks=asks)
        case RunRef(name, preset, locked):
            panel(name, preset, locked, key)
        case MineRef(view):
            mine(view, key)
        case ExerciseRef(slug):
            task(slug)


def _part(record: Record, name: str) -> None:
    lesson = record.lesson
    match name:
        case "map":
            lesson_map(lesson)
        case "anchor":
            anchor(lesson)
        case "terms":
            terms(lesson)
        case "phases":
            phases(lesson)
        case "myths":
            myths(record)
        case "errors":
            errors(lesson)
        case "checklist":
            checklist(record)
        case "next":
            next_steps(lesson)
