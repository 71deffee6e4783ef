"""``./course check`` and ``./course facts`` on the real registry and exercises, with content of our own."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import settings
from cli import check, facts

FACT = """\
[[fact]]
id = "{name}"
function = "lora.count"
arguments = {{ architecture = "mistral-7b", rank = 8, targets = ["q_proj", "v_proj"] }}
field = "{field}"
form = "integer"
derivation = "d"
"""


def parsed(module: Any, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    return parser.parse_args([module.__name__.rpartition(".")[2], *words])


@pytest.fixture
def course(tmp_path: Path) -> Any:
    """Settings of a course without lessons."""
    content = tmp_path / "content"
    content.mkdir()
    (content / "course.toml").write_text('title = "Т"\nlead = "Л"\n', encoding="utf-8")
    return settings.load({}, content_dir=content, exercises_dir=tmp_path / "exercises", data_dir=tmp_path)


def test_check_of_sound_content_says_so_in_one_line(course: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(parsed(check), course) == 0
    assert capsys.readouterr().out.replace("\u00a0", " ") == (
        "Ошибок нет: 0 уроков, 0 вопросов, 0 упражнений, 0 чисел.\n"
    )


def test_check_prints_every_fault_and_fails(course: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (course.content_dir / "course.toml").write_text('titel = "Т"\n', encoding="utf-8")
    broken = course.exercises_dir / "broken"
    broken.mkdir(parents=True)
    (broken / "exercise.toml").write_text("title = 1\n", encoding="utf-8")
    assert check.run(parsed(check), course) == 1
    printed = capsys.readouterr()
    assert "content/course.toml:1 `titel`: неизвестный ключ; ближайший известный — `title`" in printed.out
    assert "exercises/broken" in printed.out
    assert printed.err.strip().endswith("ошибки.")


def test_check_of_a_path_prints_its_faults_only(course: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (course.content_dir / "course.toml").write_text('titel = "Т"\n', encoding="utf-8")
    (course.content_dir / "01-a").mkdir()
    assert check.run(parsed(check, str(course.content_dir / "01-a")), course) == 1
    assert "titel" not in capsys.readouterr().out
    assert check.run(parsed(check, str(course.content_dir / "course.toml")), course) == 1
    assert "01-a" not in capsys.readouterr().out
    assert check.run(parsed(check, "no/such/path"), course) == 2


@pytest.mark.slow
def test_check_loads_no_torch() -> None:
    code = (
        "import sys, argparse, settings; from cli import check;"
        "check.run(argparse.Namespace(path=None), settings.load({}));"
        "sys.exit(bool({'torch', 'peft', 'transformers', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_facts_are_computed_written_and_compared(course: Any, capsys: pytest.CaptureFixture[str]) -> None:
    specs = course.content_dir / "facts.toml"
    specs.write_text(FACT.format(name="mistral", field="trainable"), encoding="utf-8")
    assert check.run(parsed(check), course) == 1, "not computed yet"
    assert facts.run(parsed(facts, "--check"), course) == 1
    assert "ещё не посчитан" in capsys.readouterr().err
    assert facts.run(parsed(facts), course) == 0
    assert "mistral: 3\u00a0407\u00a0872" in capsys.readouterr().out
    assert facts.run(parsed(facts, "--check"), course) == 0
    assert check.run(parsed(check), course) == 0


def test_a_fact_that_cannot_be_computed_fails_but_the_others_are_written(
    course: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = course.content_dir / "facts.toml"
    text = FACT.format(name="good", field="trainable") + FACT.format(name="bad", field="trainible")
    specs.write_text(text, encoding="utf-8")
    assert facts.run(parsed(facts), course) == 1
    assert "bad: не вычисляется" in capsys.readouterr().err
    assert '[facts."good"]' in (course.content_dir / "facts.lock.toml").read_text(encoding="utf-8")
