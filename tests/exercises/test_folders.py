"""Every exercise is proven by its folder: solution, starter, mistakes, hints, words."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from graders.exercise import Exercise, load, load_all
from graders.host.engine import Engine
from graders.host.prove import prove
from graders.protocol import Job, Outcome

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "exercises").glob("*/exercise.toml"))
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def mistakes() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((folder / "mistakes").glob("*.py"))]


def test_the_exercises_of_lesson_2_are_here() -> None:
    assert {"lora-linear", "lora-params", "rank-for-energy"} <= set(load_all(ROOT / "exercises"))
    assert len(mistakes()) >= 3 * len(FOLDERS)


@pytest.mark.slow
@EACH
def test_a_folder_keeps_its_promises(folder: Path, engine: Engine) -> None:
    assert prove(folder, engine) == []


@pytest.mark.slow
@EACH
def test_a_solution_passes_whatever_is_drawn(folder: Path, engine: Engine) -> None:
    job = Job(folder.name, (folder / "solution.py").read_bytes())
    for _ in range(4):
        verdict = engine.grade(job)
        assert (verdict.outcome, verdict.points) == (Outcome.PASSED, load(folder).points), verdict.message


@pytest.mark.slow
@pytest.mark.parametrize("path", mistakes(), ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_a_mistake_is_recognised_and_costs_one_concept(path: Path, engine: Engine) -> None:
    slug = path.parent.parent.name
    sentence = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
    for _ in range(2):  # inputs differ every time, the finding must not
        verdict = engine.grade(Job(slug, path.read_bytes()))
        failed = [check for check in verdict.checks if check.outcome is not Outcome.PASSED]
        assert verdict.outcome is Outcome.PARTIAL
        assert {check.outcome for check in failed} == {Outcome.FAILED}
        assert len({check.concept for check in failed}) == 1
        assert failed[0].message == sentence
        assert failed[0].misconception in catalogue(), "not in content/misconceptions.toml"
        assert failed[0].expected
        assert failed[0].got
        assert failed[0].hint


@pytest.mark.slow
@EACH
def test_an_untouched_starter_is_not_an_attempt(folder: Path, engine: Engine) -> None:
    verdict = engine.grade(Job(folder.name, (folder / "starter.py").read_bytes()))
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert verdict.points == 0


@EACH
def test_starter_and_solution_share_signatures_and_docstrings(folder: Path) -> None:
    starter, solution = (public(ast.parse((folder / name).read_text())) for name in ("starter.py", "solution.py"))
    assert starter
    assert starter == {name: solution[name] for name in starter}
    assert {signature.name for signature in load(folder).functions} <= set(starter)


def public(tree: ast.Module) -> dict[str, tuple[str, str | None]]:
    """Arguments and docstring of every function and method, and the docstrings of module and classes."""
    found: dict[str, tuple[str, str | None]] = {"": ("", ast.get_docstring(tree))}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = ("", ast.get_docstring(node))
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            found |= {f"{node.name}.{item.name}": signature(item) for item in methods}
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = signature(node)
    return found


def signature(node: ast.FunctionDef) -> tuple[str, str | None]:
    returns = ast.unparse(node.returns) if node.returns else ""
    return f"({ast.unparse(node.args)}) -> {returns}", ast.get_docstring(node)


@EACH
def test_there_are_three_hints_from_vague_to_plain(folder: Path) -> None:
    hints = load(folder).hints
    assert len(hints) >= 3
    assert all(len(hint) > 60 for hint in hints)
    assert "```" not in hints[0], "the first hint gives no code"


@EACH
def test_every_check_has_a_title_a_hint_and_a_concept_in_use(folder: Path) -> None:
    exercise = load(folder)
    assert {check.concept for check in exercise.checks} == set(exercise.concepts)
    for check in exercise.checks:
        assert check.title
        assert len(check.hint) > 20
        assert not check.title.endswith(".")


@EACH
def test_every_misconception_is_in_the_catalogue(folder: Path) -> None:
    used = misconceptions(load(folder))
    assert used
    assert used <= catalogue(), f"not in content/misconceptions.toml: {sorted(used - catalogue())}"


def misconceptions(exercise: Exercise) -> set[str]:
    """Every id that the checks may report: string constants in upper snake case."""
    tree = ast.parse(exercise.tests.read_text())
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in strings if re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", text)}


def catalogue() -> set[str]:
    files = (ROOT / "content").rglob("misconceptions.toml")
    return {row["id"] for file in files for row in tomllib.loads(file.read_text())["misconception"]}


@EACH
def test_an_exercise_belongs_to_a_lesson(folder: Path) -> None:
    lessons = [tomllib.loads(path.read_text()) for path in (ROOT / "content").glob("*/lesson.toml")]
    assert load(folder).lesson in {lesson["id"] for lesson in lessons}
