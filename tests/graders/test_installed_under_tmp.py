"""A course whose environment lies under /tmp grades like any other: the sandbox's own /tmp must not hide it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from settings import ROOT

PROGRAM = """
import json, sys
from pathlib import Path
from graders.host.engine import Engine
from graders.protocol import Job
with Engine(Path("exercises")) as engine:
    print(json.dumps(engine.run(Job("lora-params", b"import only_here"), "only_here.ANSWER").to_json()))
"""


@pytest.mark.slow
def test_a_library_under_tmp_can_be_imported_in_the_sandbox() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": folder, "platbase": folder}))
        (site / "only_here.py").write_text("ANSWER = 42\n")
        (site / "ours.pth").write_text(sysconfig.get_path("purelib"))
        ran = subprocess.run(
            [f"{folder}/bin/python", "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=240, check=True
        )
    answer = json.loads(ran.stdout.splitlines()[-1])
    assert (answer["outcome"], answer["value"]) == ("passed", "42"), answer
