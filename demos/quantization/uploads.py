"""Weights that a learner brought, on their way from a page to the compute process: a file by its SHA-256.

Torch-free. What has not been asked for lately goes when there are too many. Leaves out what is inside (``checkpoint``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

import settings
from demos.quantization.checkpoint import CheckpointError

MOST = 12
"""Files kept, 36 MiB each at most."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def put(content: bytes | memoryview) -> str:
    """Keep a file and give the name to ask for it."""
    name = hashlib.sha256(content).hexdigest()
    place = _root() / name
    if not place.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(prefix=".new-", dir=place.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(fresh).replace(place)  # whole or not at all
        _prune()
    place.touch()
    return name


def path(name: str) -> Path:
    """Where a kept file lies.

    Raises:
        CheckpointError: there is none of that name (any more).
    """
    place = _root() / name
    if not _DIGEST.fullmatch(name) or not place.is_file():
        raise CheckpointError("Этого файла больше нет под рукой: загрузите его ещё раз.")
    with contextlib.suppress(FileNotFoundError):
        place.touch()
    return place


def _root() -> Path:
    return settings.current().data_dir / "tensors"


def _prune() -> None:
    with contextlib.suppress(FileNotFoundError):  # another session may be pruning too
        places = [place for place in _root().iterdir() if _DIGEST.fullmatch(place.name)]
        for old in sorted(places, key=lambda place: -place.stat().st_mtime)[MOST:]:
            old.unlink(missing_ok=True)
