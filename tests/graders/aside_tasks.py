"""What the tests of ``graders.aside`` ask the child to do; not a test itself."""

from __future__ import annotations

import ast
import os
import sys
import time
from pathlib import Path
from typing import Any


def echo(payload: Any) -> Any:
    return payload


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def spin(_: Any) -> None:
    while True:
        pass


def hoard(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def grow(size: int) -> str:
    return "x" * size


def deepen(depth: int) -> int:
    return 0 if depth == 0 else deepen(depth - 1)


def parse(depth: int) -> str:
    return ast.dump(ast.parse("-" * depth + "1"))


def fail(text: str) -> None:
    raise LookupError(text)


def surroundings(_: Any) -> dict[str, Any]:
    return {
        "environment": sorted(os.environ),
        "folder": str(Path.cwd()),
        "descriptors": sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir()),
        "modules": sorted(sys.modules),
        "path": sys.path,
    }
