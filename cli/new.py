"""``./course new exercise SLUG``: a folder with a small working exercise, to be replaced piece by piece.

What it writes passes ``./course check`` and ``./course prove`` at once, so that an author sees which change broke a
promise. Leaves out lessons, which are written by hand (docs/authoring.md).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from settings import Settings

EXAMPLE = Path(__file__).resolve().parent / "example"
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40
"""Letters of the longest slug: it stands in addresses, in tables and in the name of the test file."""

NEXT = """Готово: {folder}. Это маленькое рабочее задание — заменяйте его файлы своими и проверяйте после каждой правки:

  ./course prove {slug}     решение, заготовка и ошибки ведут себя как обещано
  ./course check            файлы задания и уроков в порядке

Порядок удобен такой: statement.md и exercise.toml (поле lesson — к какому уроку), solution.py и starter.py,
{tests}, потом mistakes/ и hints.md. Подробно — docs/exercises.md."""


class Refused(ValueError):
    """Nothing was written; the message is one Russian sentence for the author."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "new",
        help="начать новое задание с рабочего образца",
        description="Создаёт папку задания с рабочим образцом внутри. Код возврата 0, если папка создана, иначе 2.",
    )
    parser.add_argument("kind", choices=["exercise"], metavar="exercise", help="что создать: exercise — задание")
    parser.add_argument("slug", metavar="ИМЯ", help="имя папки: строчные латинские буквы, цифры и дефисы")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the folder and say what to do next; 2 when it cannot be written."""
    try:
        folder = write(settings.exercises_dir, arguments.slug)
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 2
    print(NEXT.format(folder=folder, slug=arguments.slug, tests=_tests(arguments.slug)))
    return 0


def write(exercises: Path, slug: str) -> Path:
    """The new exercise's folder.

    Raises:
        Refused: the slug is ill-formed or taken, or the disk refuses.
    """
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST:
        raise Refused(
            f"Имя «{slug}» не подходит: нужны строчные латинские буквы, цифры и одиночные дефисы, первой — буква, "
            f"всего не больше {LONGEST} знаков, например lora-merge."
        )
    folder = exercises / slug
    try:
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "test_example.py").rename(folder / _tests(slug))
    except FileExistsError:
        raise Refused(f"Папка {folder} уже есть: выберите другое имя или правьте её.") from None
    except OSError as error:
        raise Refused(f"Папка {folder} не записана: {error.strerror or error}.") from None
    return folder


def _tests(slug: str) -> str:
    return f"test_{slug.replace('-', '_')}.py"
