"""Code in lessons runs with the pinned libraries, and frequent errors look as the lesson says they look.

Each lesson's blocks run in turn in one process of their own, in an empty folder, with COURSE_MODEL naming the bundled
model. A block marked ``python gpu`` needs a GPU or a hub: it is compiled and its imports are looked up.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from settings import ROOT

pytestmark = pytest.mark.slow

FENCE = re.compile(r"^```python( gpu)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LESSONS = sorted(path.parent for path in (ROOT / "content").glob("*/lesson.md"))
EACH = pytest.mark.parametrize("folder", LESSONS, ids=lambda folder: folder.name)


def prose(folder: Path) -> str:
    """lesson.md with its facts filled in, as a reader sees it."""
    locks = [ROOT / "content" / "facts.lock.toml", *(ROOT / "content").glob("*/facts.lock.toml")]
    shown = {name: row["text"] for lock in locks for name, row in tomllib.loads(lock.read_text())["facts"].items()}
    text = (folder / "lesson.md").read_text()
    return re.sub(r"\{\{ fact ([\w.-]+) \}\}", lambda found: shown.get(found[1], found[0]), text)


def errors(folder: Path) -> list[dict[str, Any]]:
    return list(tomllib.loads((folder / "lesson.toml").read_text())["errors"])


def run(programs: list[str], folder: Path) -> list[str]:
    """What each program prints, warns and raises, in one process; every program has names of its own when asked."""
    environment = os.environ | {
        "COURSE_MODEL": str(ROOT / "content" / "model"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout.splitlines()[-1]))


RUNNER = textwrap.dedent(
    """
    import contextlib, io, json, logging, sys, traceback, warnings
    programs, said = json.load(sys.stdin), []
    shared = {"__name__": "lesson"}
    for program in programs:
        out = io.StringIO()
        handler = logging.StreamHandler(out)
        logging.getLogger().addHandler(handler)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
            warnings.simplefilter("always")
            try:
                exec(compile(program, "snippet", "exec"), shared)
            except BaseException:
                traceback.print_exc(file=out)
        logging.getLogger().removeHandler(handler)
        said.append(out.getvalue())
    print(json.dumps(said))
    """
)


@EACH
def test_code_of_a_lesson_runs(folder: Path, tmp_path: Path) -> None:
    blocks = FENCE.findall(prose(folder))
    runs = [code for gpu, code in blocks if not gpu]
    for code, said in zip(runs, run(runs, tmp_path), strict=True):
        assert "Traceback (most recent call last)" not in said, f"{code}\n{said[-1500:]}"


@EACH
def test_code_for_a_gpu_compiles_and_names_what_exists(folder: Path) -> None:
    for gpu, code in FENCE.findall(prose(folder)):
        tree = ast.parse(code)
        if not gpu:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)


@EACH
def test_a_frequent_error_looks_as_the_lesson_says(folder: Path, tmp_path: Path) -> None:
    provoked = [error for error in errors(folder) if error.get("provoke")]
    for error, said in zip(provoked, run([error["provoke"] for error in provoked], tmp_path), strict=True):
        wanted = " ".join(error["shows"].split())
        assert wanted in " ".join(said.split()), f"{error['id']}: {said[-1500:]}"
