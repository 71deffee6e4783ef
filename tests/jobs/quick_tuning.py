"""A parent of runs whose children do what the spec says instead of fine-tuning; started as the real one is."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graders import forking
from jobs import frames, process
from progress import run_files

STEP = {"kind": "step", "step": 1, "loss": 0.5, "layers": ["a"]}
END = {"kind": "finished", "steps": 3, "answers": []}


def main(socket_number: int, _options: None = None) -> None:
    control = socket.socket(fileno=socket_number)
    forking.send(control, {"ready": True})
    forking.serve(control, child)


def child(request: Mapping[str, Any], descriptors: list[int]) -> None:
    os.setsid()
    process.die_with_parent()
    process.give_way(int(request["nice"]))
    with socket.socket(fileno=descriptors[0]) as connection:
        order = frames.read(connection)
        folder = Path(order["folder"])
        frames.write(connection, {"kind": "stage", "name": "child", "title": str(os.getpid())})
        if order["spec"]["do"] == "crash":
            os.abort()
        if order["spec"]["do"] == "crash once" and not (marker := folder.parent.parent / "crashed").exists():
            marker.touch()
            os.abort()
        if order["spec"]["do"] == "stray":
            subprocess.Popen(["sleep", "600"])
        if order["spec"]["do"] in {"sleep", "stray"}:
            time.sleep(600)
        for number in range(20):
            frames.write(connection, {**STEP, "step": number})
            time.sleep(0.05)
        (folder / "adapter").mkdir()
        (folder / "adapter" / "small").write_bytes(b"small")
        if order["spec"]["do"] == "large":
            (folder / "adapter" / "large").write_bytes(bytes(run_files.MAX_FILE + 1))
        frames.write(connection, END)
