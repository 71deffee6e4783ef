"""Real exercises and the course's libraries in both tiers, as root and as an ordinary user; what a tier refuses.

Each engine runs in a process of its own, which may be another user. Leaves out single walls (``test_walls``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from settings import ROOT
from tests.graders import behind

pytestmark = pytest.mark.slow
AS_ROOT = os.geteuid() == 0
USERS = ["-", str(behind.NOBODY)] if AS_ROOT else [str(os.geteuid())]

PROGRAM = """
import json, os, sys, time
from pathlib import Path
from graders.host.engine import Engine
from graders.protocol import Job
folder, told = Path("exercises"), json.loads(sys.argv[1])
with Engine(folder, tiers=told["tiers"], without=told["without"]) as engine:
    found = engine.isolation()
    said = {"isolation": found.to_json(), "runs": {}, "solved": {}, "base": [], "left": []}
    if found.ready:
        for slug in told["solve"]:
            verdict = engine.grade(Job(slug, (folder / slug / "solution.py").read_bytes()))
            said["solved"][slug] = [verdict.outcome, verdict.points == verdict.possible]
        base = Path(f"/proc/{engine._student._now.process.pid}/cwd").readlink()
        for name, source in told["runs"].items():
            trial = engine.run(Job("lora-params", source.encode()), "found")
            said["runs"][name] = [trial.outcome, trial.value if trial.outcome == "passed" else trial.message]
        if found.tier == "B":
            said["base"] = [str(base)]
            deadline = time.monotonic() + 3
            while os.listdir(base) and time.monotonic() < deadline: time.sleep(0.05)
            said["left"] = os.listdir(base)
print(json.dumps(said))
"""
RUNS = {
    "train_and_save": """
import pathlib, tempfile, peft, safetensors.torch, torch, transformers
config = transformers.LlamaConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
                                  num_key_value_heads=2, vocab_size=50)
model = peft.get_peft_model(transformers.LlamaForCausalLM(config), peft.LoraConfig(r=2, target_modules=["q_proj"]))
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
for step in range(3):
    optimizer.zero_grad()
    ids = torch.randint(0, 50, (2, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    read = safetensors.torch.load_file(folder + "/adapter_model.safetensors")
found = sorted(tuple(tensor.shape) for tensor in read.values())
""",
    "threads_and_files": """
import concurrent.futures, io, json, os, pathlib, pickle, sqlite3, subprocess, tempfile, torch
from torch.utils.data import DataLoader, TensorDataset
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    total = sum(pool.map(lambda n: n * n, range(10)))
torch.set_num_threads(2)
square = torch.ones(400, 400) @ torch.ones(400, 400)
pathlib.Path("notes/deep").mkdir(parents=True)
pathlib.Path("notes/deep/one.txt").write_text("ж", encoding="utf-8")
os.rename("notes/deep/one.txt", "notes/two.txt")
with tempfile.NamedTemporaryFile() as file:
    torch.save({"w": torch.eye(2)}, file.name)
    saved = torch.load(file.name)["w"].sum().item()
batches = len(list(DataLoader(TensorDataset(torch.arange(10)), batch_size=5, shuffle=True)))
database = sqlite3.connect(":memory:").execute("select 2").fetchone()[0]
home = pathlib.Path.home() / "x"; home.write_text("1")
found = total, square[0, 0].item(), pathlib.Path("notes/two.txt").read_text("utf-8"), saved, batches, database
""",
}
WANTED = {
    "train_and_save": ["passed", "[(2, 16), (16, 2)]"],
    "threads_and_files": ["passed", "(285, 400.0, 'ж', 2.0, 2, 2)"],
}
SOLVED = ["lora-params", "rank-for-energy", "lora-linear"]


def engine_of(user: str, wish: dict[str, Any], *options: str) -> dict[str, Any]:
    """What the program says with an engine of ``user``."""
    program = [sys.executable, "-c", PROGRAM, json.dumps({"without": [], "solve": [], "runs": {}, **wish})]
    elsewhere = [sys.executable, "-m", "tests.graders.elsewhere", user, *options] if AS_ROOT else []
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*elsewhere, *program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("tier", ["A", "B"])
def test_exercises_and_libraries_work_behind_all_walls(tier: str, user: str) -> None:
    said = engine_of(user, {"tiers": [tier], "solve": SOLVED, "runs": RUNS})
    assert said["isolation"]["tier"] == tier, said["isolation"]["problem"]
    assert said["solved"] == {slug: ["passed", True] for slug in SOLVED}
    assert said["runs"] == WANTED
    assert said["left"] == []
    assert not any(Path(base).exists() for base in said["base"])


def test_without_namespaces_the_watchdogs_hold() -> None:
    """Tier B as an ordinary user: the disk, the memory, the deadline, and what a process may not do at all."""
    fill = "i = 0\nwhile True:\n    with open(str(i), 'wb') as f: f.write(bytes(60 << 20))\n    i += 1\n"
    many = "i = 0\nwhile True:\n    open(str(i), 'w').close()\n    i += 1\n"
    runs = {
        "disk": fill,
        "files": many,
        "memory": "held = [bytes(b'1') * (1 << 20) for _ in range(10**6)]",
        "time": "while True: pass",
        "process": "import os\nos.fork()",
        "network": "import socket\nsocket.create_connection(('127.0.0.1', 1), 1)",
        "alive": "found = 1",
    }
    said = engine_of(USERS[-1], {"tiers": ["B"], "runs": runs})
    outcomes = {name: outcome for name, (outcome, _) in said["runs"].items()}
    assert outcomes == {
        "disk": "memory",
        "files": "memory",
        "memory": "memory",
        "time": "timeout",
        "process": "failed",
        "network": "forbidden",
        "alive": "passed",
    }, said["runs"]
    assert said["left"] == []


@pytest.mark.skipif(not AS_ROOT, reason="only root can take namespaces away from a process")
@pytest.mark.parametrize("user", USERS)
def test_where_namespaces_are_denied_the_second_tier_is_taken_and_the_reason_told(user: str) -> None:
    said = engine_of(user, {"tiers": ["A", "B"], "solve": ["lora-params"]}, "--no-namespaces")
    assert said["isolation"]["tier"] == "B"
    assert "ядро отказало" in dict(said["isolation"]["missing"])["namespaces"]
    assert said["solved"] == {"lora-params": ["passed", True]}
    refused = engine_of(user, {"tiers": ["A"]}, "--no-namespaces")["isolation"]
    assert not refused["ready"]
    assert "разрешите пространства имён" in refused["problem"]
