"""The commands that need no server: what they find, print and answer to the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import __main__ as main
from cli import bench, grade
from cli import test as testing
from graders.protocol import Check, Outcome, Verdict
from settings import ROOT


def test_pytests_own_words_reach_it_in_their_order() -> None:
    assert testing.split(["test", "--quick", "-k", "a or b", "tests/jobs", "-x"]) == (
        ["test", "--quick"],
        ["-k", "a or b", "tests/jobs", "-x"],
    )
    arguments, _ = main.parse(["test", "-k", "x"])
    assert arguments.pytest == ["-k", "x"]
    assert not arguments.quick


def test_the_whole_test_checks_more_than_the_quick_one() -> None:
    assert set(testing.QUICK) < set(testing.FULL)
    assert any("mypy" in step.command for step in testing.FULL)


@pytest.mark.parametrize(
    ("steps", "tests", "status"), [("true", "true", 0), ("false", "true", 1), ("true", "false", 1)]
)
def test_one_failed_step_fails_the_whole(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], steps: str, tests: str, status: int
) -> None:
    monkeypatch.setattr(testing, "FULL", (testing.Step("первый", (steps,)), testing.Step("второй", ("echo", "done"))))
    monkeypatch.setattr(testing, "TESTS", (tests,))
    arguments, module = main.parse(["test"])
    assert module.run(arguments, None) == status
    output = capfd.readouterr().out
    assert "done" in output, "a failure must not hide what comes after it"
    assert ("НЕ ПРОШЛО" in output) == (steps == "false")


@pytest.mark.slow
def test_a_file_of_tests_stays_whole_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import BothEnds, pytest_xdist_make_scheduler\n")
    body = """
import pathlib, pytest
@pytest.mark.parametrize("number", range(4))
def test_it(number, worker_id):
    with pathlib.Path(__file__).with_suffix(".seen").open("a") as seen:
        print(worker_id, file=seen)
"""
    for name in ("one", "two", "three", "four"):
        (tmp_path / f"test_{name}.py").write_text(body)
    command = [*testing.TESTS, *testing.TOGETHER, "-q", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    seen = [file.read_text().split() for file in sorted(tmp_path.glob("*.seen"))]
    assert [(len(workers), len(set(workers))) for workers in seen] == [(4, 1)] * 4
    assert len({workers[0] for workers in seen}) > 1


def test_benchmarks_are_found_without_importing_them(tmp_path: Path) -> None:
    (tmp_path / "speed.py").write_text("raise SystemExit\ndef main() -> int: ...\n")
    (tmp_path / "helper.py").write_text("def other() -> None: ...\n")
    assert bench.discover(tmp_path) == ["speed"]
    assert "start" in bench.discover(ROOT / "benchmarks")


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench", "spped"]) == 2
    assert "Нет измерения «spped»" in capsys.readouterr().err


def test_a_verdict_as_lines() -> None:
    passed = Check("a", "первая", "c", points=2, earned=2, outcome=Outcome.PASSED, hint="не показывать")
    failed = Check(
        "b", "вторая", "c", 1, 0, Outcome.FAILED, "не то", expected="2", got="1", hint="подумайте", traceback="строка 3"
    )
    lines = grade.lines(Verdict("x", Outcome.PARTIAL, "Часть проверок пройдена.", (passed, failed), output="привет"))
    assert lines[:3] == ["Часть проверок пройдена.", "Баллы: 2 из 3", "✓ первая — 2 из 2"]
    assert "    ожидалось: 2" in lines
    assert "    строка 3" in lines
    assert lines[-1] == "привет"
    assert not any("не показывать" in line for line in lines)


def test_grading_what_is_not_there_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["grade", "lora-linaer", str(tmp_path)]) == 2
    assert "lora-linear" in capsys.readouterr().err
    assert main.main(["grade", "lora-params", str(tmp_path / "none.py")]) == 2
    assert "не читается" in capsys.readouterr().err


def test_a_missing_package_says_to_rebuild_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_words: object) -> int:
        raise ModuleNotFoundError("No module named 'streamlit'", name="streamlit")

    monkeypatch.setattr(main, "_main", broken)
    assert main.main([]) == 1
    assert "Удалите папку .venv" in capsys.readouterr().err


@pytest.mark.slow
def test_the_doctor_names_versions_and_walls() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "Изоляция проверок" in done.stdout
    assert "Python" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", main.COMMANDS)
def test_help_is_light(command: str) -> None:
    code = (
        "import sys; from cli import __main__ as main\n"
        f"try: main.parse(['{command}', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'streamlit', 'dbos', 'sqlalchemy', 'transformers'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
