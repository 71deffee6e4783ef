"""Exercises as folders of files, read into typed values. The checks are read from the test file's syntax tree.

Nothing of an exercise is imported or run here. Leaves out running checks (``graders.host``) and proving that a folder
keeps its promises (``graders.host.prove``).
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

_KEYS = {
    "slug": str,
    "title": str,
    "lesson": str,
    "summary": str,
    "concepts": list,
    "seconds": (int, float),
    "memory_mb": int,
    "example": str,
    "functions": list,
    "fresh": bool,
    "files": list,
    "file_mb": int,
}
_REQUIRED = ("title", "lesson", "summary", "concepts", "example", "functions")
_FUNCTION_KEYS = {"name": str, "kind": str, "parameters": list}
_CHECK_KEYS = {"concept": str, "points": (int, float), "hint": str, "misconception": str, "fresh": bool}
MOST_FILES, LARGEST_FILE = 8, 64
"""Files that an exercise may ask for, and the most MiB that each may be allowed: the sandbox has no more room."""


class ExerciseError(ValueError):
    """An exercise's folder is not in order; the message is a Russian sentence for its author, with file and line."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A name that the learner has to define."""

    name: str
    kind: str  # "function" or "class"
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """What is known about a check before it runs."""

    id: str  # the test function's name without "test_"
    title: str
    concept: str
    points: float
    hint: str
    misconception: str
    fresh: bool = False  # runs in a sandbox of its own, where nothing of the submission was called before


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise. ``hints``: Markdown, from the vaguest to the plainest."""

    slug: str
    title: str
    lesson: str
    concepts: tuple[str, ...]
    summary: str
    statement: str
    hints: tuple[str, ...]
    starter: str
    example: str
    functions: tuple[Signature, ...]
    checks: tuple[CheckInfo, ...]
    seconds: float
    memory: int  # bytes, above what the warm process has
    folder: Path
    version: str  # hash of all its files
    files: tuple[str, ...] = ()  # what the learner's code has to leave, by name
    file_bytes: int = 0  # how large each of them may be

    @property
    def points(self) -> float:
        """Points that can be earned."""
        return sum(check.points for check in self.checks)

    @property
    def tests(self) -> Path:
        """The file of hidden checks."""
        return self.folder / f"test_{self.slug.replace('-', '_')}.py"

    @property
    def given(self) -> str:
        """Source of given.py, empty where there is none."""
        path = self.folder / "given.py"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def load_all(folder: Path) -> Mapping[str, Exercise]:
    """All exercises under ``folder``, by slug.

    Raises:
        ExerciseError: one of them is not in order.
    """
    if not folder.is_dir():
        return {}
    found = sorted(path.parent for path in folder.glob("*/exercise.toml"))
    return {path.name: load(path) for path in found}


def load(folder: Path) -> Exercise:
    """The exercise in ``folder``.

    Raises:
        ExerciseError: a file is missing, a key is unknown, a check says too little.
    """
    path = folder / "exercise.toml"
    data = _toml(path)
    _check_keys(data, _KEYS, path)
    missing = [key for key in _REQUIRED if key not in data]
    if missing:
        raise ExerciseError(f"{path}: нет ключа `{missing[0]}`")
    if data.get("slug", folder.name) != folder.name:
        raise ExerciseError(f"{path} `slug`: не совпадает с именем папки «{folder.name}»")
    tests = folder / f"test_{folder.name.replace('-', '_')}.py"
    return Exercise(
        slug=folder.name,
        title=data["title"],
        lesson=data["lesson"],
        concepts=tuple(data["concepts"]),
        summary=data["summary"],
        statement=_text(folder / "statement.md"),
        hints=_hints(_text(folder / "hints.md")),
        starter=_text(folder / "starter.py"),
        example=data["example"],
        functions=tuple(_signature(item, path) for item in data["functions"]),
        checks=_checks(tests, frozenset(data["concepts"]), fresh=data.get("fresh", False)),
        seconds=float(data.get("seconds", 10)),
        memory=int(data.get("memory_mb", 1024)) << 20,
        folder=folder,
        version=_version(folder),
        files=_files(data.get("files", []), path),
        file_bytes=_file_bytes(data.get("file_mb", 16), path),
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, or an empty string."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{path}: файл не читается ({error})") from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ExerciseError(f"{path}: это не TOML ({error})") from error


def _check_keys(data: Mapping[str, Any], known: Mapping[str, Any], path: Path) -> None:
    for key, value in data.items():
        if key not in known:
            near = nearest(key, known)
            tail = f"; ближайший известный — `{near}`" if near else f"; известны: {', '.join(known)}"
            raise ExerciseError(f"{path} `{key}`: неизвестный ключ{tail}")
        if not isinstance(value, known[key]) or (isinstance(value, bool) and known[key] is not bool):
            raise ExerciseError(f"{path} `{key}`: значение не того типа")


def _signature(item: Any, path: Path) -> Signature:
    if not isinstance(item, dict):
        raise ExerciseError(f"{path} `functions`: нужны таблицы [[functions]]")
    _check_keys(item, _FUNCTION_KEYS, path)
    kind = item.get("kind", "function")
    if "name" not in item or kind not in {"function", "class"}:
        raise ExerciseError(f"{path} `functions`: нужны `name` и `kind` («function» или «class»)")
    return Signature(item["name"], kind, tuple(item.get("parameters", ())))


def _files(names: list[Any], path: Path) -> tuple[str, ...]:
    if len(names) > MOST_FILES or len(set(map(str, names))) < len(names):
        raise ExerciseError(f"{path} `files`: нужно не больше {MOST_FILES} разных имён")
    for name in names:
        if not isinstance(name, str) or not name.isprintable() or not _is_below(PurePosixPath(name), name):
            raise ExerciseError(f"{path} `files`: имя {name!r} должно вести вглубь папки ответа, без «..»")
    return tuple(names)


def _is_below(path: PurePosixPath, name: str) -> bool:
    return str(path) == name and name != "." and not path.is_absolute() and ".." not in path.parts


def _file_bytes(size: int, path: Path) -> int:
    if not 1 <= size <= LARGEST_FILE:
        raise ExerciseError(f"{path} `file_mb`: нужно целое число от 1 до {LARGEST_FILE}")
    return size << 20


def _hints(text: str) -> tuple[str, ...]:
    """Hints are sections that begin with ``## ``; the heading itself is for the author."""
    sections = ("\n" + text).split("\n## ")[1:]
    return tuple(section.partition("\n")[2].strip() for section in sections)


def _checks(path: Path, concepts: frozenset[str], *, fresh: bool) -> tuple[CheckInfo, ...]:
    try:
        tree = ast.parse(_text(path), path.name)
    except SyntaxError as error:
        raise ExerciseError(f"{path}:{error.lineno}: синтаксическая ошибка ({error.msg})") from error
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    if not tests:
        raise ExerciseError(f"{path}: нет ни одной проверки")
    names = [node.name for node in tests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ExerciseError(f"{path}: проверка `{twice}` записана дважды")
    found = tuple(_check(node, path, fresh=fresh) for node in tests)
    stray = next((check for check in found if check.concept not in concepts), None)
    if stray:
        raise ExerciseError(f"{path}: понятия «{stray.concept}» ({stray.id}) нет в `concepts` файла exercise.toml")
    return found


def _check(node: ast.FunctionDef, path: Path, *, fresh: bool) -> CheckInfo:
    where = f"{path}:{node.lineno} `{node.name}`"
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call) and getattr(d.func, "id", "") == "check"]
    if len(calls) != 1:
        raise ExerciseError(f"{where}: нужен один декоратор @check(…)")
    try:
        data = {keyword.arg or "**": ast.literal_eval(keyword.value) for keyword in calls[0].keywords}
    except ValueError:
        raise ExerciseError(f"{where}: в @check(…) годятся только литералы") from None
    _check_keys(data, _CHECK_KEYS, path)
    title = (ast.get_docstring(node) or "").partition("\n")[0].strip()
    if "concept" not in data or not title:
        raise ExerciseError(f"{where}: нужны `concept` и название первой строкой docstring")
    return CheckInfo(
        id=node.name.removeprefix("test_"),
        title=title,
        concept=data["concept"],
        points=float(data.get("points", 1)),
        hint=data.get("hint", ""),
        misconception=data.get("misconception", ""),
        fresh=data.get("fresh", fresh),
    )


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
