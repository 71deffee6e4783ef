"""``./course check [PATH]``: every fault of content/ and exercises/ in one list, recorded runs too, without torch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from common import numbers
from lessons.faults import Fault
from lessons.loader import Known, load_leniently
from lessons.model import Course
from settings import ROOT, Settings


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "check",
        help="ошибки в уроках и упражнениях: файл, строка, ключ",
        description="Проверяет все уроки и упражнения и печатает все ошибки сразу. Torch для этого не нужен.",
    )
    parser.add_argument(
        "path", nargs="?", type=Path, metavar="ПУТЬ", help="печатать только ошибки этого файла или папки"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print all faults, or one line of counts; 1 when there are faults."""
    wanted: Path | None = arguments.path
    if wanted is not None and not wanted.exists():
        print(f"Нет такого пути: {wanted}", file=sys.stderr)
        return 2
    known, broken = gather(settings)
    course, faults = load_leniently(settings.content_dir, known)
    lines = [
        *(str(fault) for fault in faults if _within(fault, settings.content_dir, wanted)),
        *(
            sentence
            for folder, sentence in [*broken, *_recordings(settings)]
            if wanted is None or _touch(folder, wanted)
        ),
    ]
    print(*lines or [_summary(course, known)], sep="\n")
    if lines:
        print(f"\n{numbers.plural(len(lines), 'ошибка', 'ошибки', 'ошибок')}.", file=sys.stderr)
    return int(bool(lines))


def gather(settings: Settings) -> tuple[Known, list[tuple[Path, str]]]:
    """What lessons may refer to, and the exercises that cannot be read, each with a sentence."""
    from demos import registry
    from demos.finetuning import presets
    from graders import exercise

    found, broken = {}, []
    for file in sorted(settings.exercises_dir.glob("*/exercise.toml")):
        try:
            found[file.parent.name] = exercise.load(file.parent)
        except exercise.ExerciseError as error:
            broken.append((file.parent, f"exercises/{file.parent.name}: {error}"))
    slugs = {*found, *(folder.name for folder, _ in broken)}
    known = Known(
        demos={name: registry.fields(name) for name in registry.DEMOS},
        runs={name: preset.fields for name, preset in presets.PRESETS.items()},
        exercises=frozenset(slugs),
        checks={slug: frozenset(check.id for check in one.checks) for slug, one in found.items()},
        preset=registry.params,
        run_preset=presets.specs,
    )
    return known, broken


def _recordings(settings: Settings) -> list[tuple[Path, str]]:
    """Recorded runs, shipped adapters, measured figures: missing, misnamed, of another base model; each a sentence.

    Another course, in a content folder of its own, need not have recorded any.
    """
    from demos.classifier import recorded as classifier
    from demos.finetuning import plan
    from demos.finetuning.adapters import shipped
    from demos.inference import speed
    from demos.merging import stored as merging
    from demos.quantization import trap
    from demos.router import stored as router
    from demos.sensitivity import recorded as sensitivity
    from demos.ways import recorded as ways

    folder = settings.content_dir / "measured" / "runs"
    own = settings.content_dir == ROOT / "content"
    said = [(folder, sentence) for sentence in plan.faults(folder)] if own or folder.is_dir() else []
    parts = (shipped, classifier, merging, router, sensitivity, speed, trap, ways) if own else ()
    others = [sentence for part in parts for sentence in part.faults()]
    return said + [(settings.content_dir / "measured", sentence) for sentence in others]


def _within(fault: Fault, content: Path, wanted: Path | None) -> bool:
    return wanted is None or _touch(content.absolute().parent / fault.path, wanted)


def _touch(path: Path, wanted: Path) -> bool:
    return path.resolve().is_relative_to(wanted.resolve())


def _summary(course: Course, known: Known) -> str:
    questions = sum(len(lesson.questions) for lesson in course.lessons)
    counts = (
        numbers.plural(len(course.lessons), "урок", "урока", "уроков"),
        numbers.plural(questions, "вопрос", "вопроса", "вопросов"),
        numbers.plural(len(known.exercises), "упражнение", "упражнения", "упражнений"),
        numbers.plural(len(course.facts), "число", "числа", "чисел"),
    )
    return f"Ошибок нет: {', '.join(counts)}."
