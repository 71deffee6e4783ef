"""What an author of exercises does: start from the example, prove it, break it and be told what broke."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli import __main__ as main
from cli import check, grade, new
from graders.exercise import load
from graders.protocol import Outcome, Verdict
from settings import ROOT
from settings import load as settings_of


def course(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``./course WORDS`` as an author calls it, on the exercises in ``folder``."""
    environment = {**os.environ, "COURSE_EXERCISES_DIR": str(folder)}
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def exercises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "exercises"
    folder.mkdir()
    monkeypatch.setenv("COURSE_EXERCISES_DIR", str(folder))
    return folder


def test_a_new_exercise_is_in_order_and_says_what_comes_next(
    exercises: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["new", "exercise", "my-task"]) == 0
    said = capsys.readouterr().out
    for part in ("./course prove my-task", "./course check", "test_my_task.py", "docs/exercises.md"):
        assert part in said
    made = load(exercises / "my-task")
    assert (made.slug, len(made.hints)) == ("my-task", 3)
    known, broken = check.gather(settings_of())
    assert "my-task" in known.exercises
    assert broken == []
    assert not list((exercises / "my-task").rglob("__pycache__"))


@pytest.mark.parametrize("slug", ["My-Task", "мой", "a_b", "../up", "-a", "a--b", "a-", "1a", "", "a" * 41, "a\n"])
def test_an_ill_formed_name_is_refused_in_words(slug: str, exercises: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(new.Refused, match="lora-merge"):
        new.write(exercises, slug)
    assert list(exercises.iterdir()) == []
    assert list(exercises.parent.iterdir()) == [exercises]


def test_nothing_existing_is_written_over(exercises: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (exercises / "mine").mkdir()
    (exercises / "mine" / "notes.txt").write_text("важное")
    assert main.main(["new", "exercise", "mine"]) == 2
    assert "уже есть" in capsys.readouterr().err
    assert [path.name for path in (exercises / "mine").iterdir()] == ["notes.txt"]


def test_proving_what_is_not_there_names_what_is(exercises: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["prove"]) == 2
    assert "нет заданий" in capsys.readouterr().err
    main.main(["new", "exercise", "first"])
    assert main.main(["prove", "frist"]) == 2
    assert "«frist»; есть: first" in capsys.readouterr().err


@pytest.mark.slow
def test_a_fresh_exercise_is_proven_and_a_broken_one_says_what_broke(exercises: Path) -> None:
    new.write(exercises, "fresh")
    new.write(exercises, "broken")
    mistake = exercises / "broken" / "mistakes" / "inverted.py"
    mistake.write_text(mistake.read_text().replace("rank / alpha", "alpha / rank"))
    new.write(exercises, "spoiled")
    (exercises / "spoiled" / "exercise.toml").write_text("title = ")

    done = course(exercises, "prove")
    lines = done.stdout.replace("\u00a0", " ").splitlines()
    assert done.returncode == 1, done.stderr
    assert any(line.startswith("✓ fresh — решение, заготовка, 4 ошибки") for line in lines)
    assert any(line.startswith("✗ broken — 1 нарушение") for line in lines)
    assert "    mistakes/inverted.py: исход passed: ни одна проверка не заметила ошибку" in lines
    assert any("это не TOML" in line for line in lines)
    assert lines[-1] == "Доказано 1 из 3 заданий."

    shutil.rmtree(exercises / "spoiled")
    alone = course(exercises, "prove", "fresh")
    assert alone.returncode == 0, alone.stdout
    assert len(alone.stdout.splitlines()) == 1


@pytest.mark.slow
def test_the_status_of_grade_says_how_it_went(exercises: Path, tmp_path: Path) -> None:
    folder = new.write(exercises, "task")
    right = course(exercises, "grade", "task", str(folder / "solution.py"), "--json")
    assert right.returncode == 0, right.stderr
    assert Verdict.from_json(json.loads(right.stdout)).outcome is Outcome.PASSED
    wrong = course(exercises, "grade", "task", str(folder / "mistakes" / "inverted.py"))
    assert wrong.returncode == 1, wrong.stderr
    assert "Баллы: " in wrong.stdout
    picture = tmp_path / "x.py"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    refused = course(exercises, "grade", "task", str(picture))
    assert refused.returncode == 2, refused.stderr
    assert "Это картинка PNG, а не программа." in refused.stdout


def test_only_what_was_judged_is_called_an_attempt() -> None:
    ours = {Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE, Outcome.INFRA_ERROR}
    assert {outcome for outcome in Outcome if grade.status(outcome) == 2} == ours
    assert {outcome for outcome in Outcome if grade.status(outcome) == 0} == {Outcome.PASSED}
