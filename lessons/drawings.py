"""Drawings of a lesson: SVG files in its folder, whole and readable. Leaves out showing them."""

from __future__ import annotations

import xml.parsers.expat
from pathlib import Path


def figure_file(folder: Path, written: str) -> Path | None:
    """The file of a figure, or None when it is missing or outside of the lesson's folder."""
    file = (folder / written).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def figure_problem(file: Path | None, written: str) -> str:
    """A sentence when the figure is missing, is no SVG, or is a broken one; empty when it can be drawn."""
    if file is None:
        return f"нет файла «{written}» в папке урока"
    if file.suffix != ".svg":
        return f"«{written}»: рисунки урока — только SVG"
    try:
        xml.parsers.expat.ParserCreate().Parse(file.read_bytes(), True)
    except xml.parsers.expat.ExpatError as error:
        return f"«{written}» не нарисуется: ошибка SVG в строке {error.lineno}"
    return ""
