"""A comparison that a certain text kills, as one that overflows the parser's stack would."""

from __future__ import annotations

import os
import signal
from typing import Any

from graders import fingerprints

KILLER = "# убийца\n"


def report(payload: dict[str, Any]) -> dict[str, Any]:
    if KILLER in payload["texts"]:
        os.kill(os.getpid(), signal.SIGSEGV)
    return fingerprints.report(payload)
