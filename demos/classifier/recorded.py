"""The recording behind the classifier's demos, content/measured/classifier.json: logits, counts, how it was made.

Logits are kept in hundredths, relative to each request's largest: softmax does not see the difference. Torch-free.
Leaves out making it (``scripts/measure_classifier.py``).
"""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demos import kept
from demos.classifier import parts
from demos.classifier.parts import LESSON_SIZE, NAMES, SIZES
from demos.classifier.training import METHODS
from demos.finetuning import measured
from demos.finetuning.measured import Made, Stale
from settings import ROOT

if TYPE_CHECKING:
    import numpy as np

FILE = ROOT / "content" / "measured" / "classifier.json"
AGAIN = "Запустите scripts/measure_classifier.py."
LARGEST = 150_000
"""Bytes of the file."""
SEEDS = (0, 1, 2)
"""Every kind with every number of examples has the first; the lesson's number of examples has them all."""
HUNDREDTHS, FLOOR = 100, -320.0


@dataclass(frozen=True, slots=True)
class Trained:
    """One trained classifier. Logits are packed, (requests, classes), and empty but for the first seed."""

    method: str
    examples: int
    seed: int
    fitted: int  # right among the training examples
    right: int  # right of the whole exam
    hundred: int  # right of the lesson's exam
    seconds: float  # the processor's, training alone
    validation: str = ""
    test: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything that was trained, on which base and which requests."""

    base: str
    data: str  # parts.fingerprint() of then
    made: Made
    trained: tuple[Trained, ...]

    def one(self, method: str, examples: int, seed: int = 0) -> Trained:
        """The classifier of that kind.

        Raises:
            StopIteration: it was not trained; ``faults`` says so.
        """
        key = (method, examples, seed)
        return next(each for each in self.trained if (each.method, each.examples, each.seed) == key)


def wanted() -> tuple[tuple[str, int, int], ...]:
    """Kind, number of examples and seed of everything that is recorded."""
    return tuple(
        (method, size, seed)
        for method, about in METHODS.items()
        for size in SIZES
        for seed in (SEEDS if about.chance and size == LESSON_SIZE else SEEDS[:1])
    )


def recording(file: Path = FILE) -> Recording:
    """What was measured on the model and the requests of now.

    Raises:
        demos.finetuning.measured.Stale: nothing was.
    """
    found = measured.current(file, _parsed, AGAIN)
    if found.data != parts.fingerprint():
        raise Stale(f"Измерено на других запросах. {AGAIN}")
    have = {(one.method, one.examples, one.seed) for one in found.trained}
    for method, size, seed in wanted():
        if (method, size, seed) not in have:
            raise Stale(f"Нет записи «{METHODS[method].short}», примеров {size}, зерно {seed}. {AGAIN}")
    return found


def faults(file: Path = FILE) -> list[str]:
    """What is wrong with the recording, a Russian sentence each."""
    try:
        recording(file)
    except Stale as problem:
        return [f"content/measured/{file.name}: {problem}"]
    if file.stat().st_size > LARGEST:
        return [f"content/measured/{file.name}: запись больше {LARGEST // 1000} КБ."]
    return []


def write(found: Recording, file: Path = FILE) -> None:
    """Store it, one classifier a line."""
    head = {"base": found.base, "data": found.data, "classes": NAMES, **dataclasses.asdict(found.made)}
    lines = ",\n".join(kept.line(dataclasses.asdict(one)) for one in found.trained)
    kept.write(file, f'{kept.line(head)[:-1]},\n"trained":[\n{lines}\n]}}\n')


def pack(logits: np.ndarray) -> str:
    """Logits as text: whole hundredths below the largest of each row, two bytes each, squeezed."""
    import numpy as np

    below = np.maximum(logits - logits.max(1, keepdims=True), FLOOR)  # (requests, classes)
    return base64.b64encode(zlib.compress(np.rint(HUNDREDTHS * below).astype("<i2").tobytes(), 9)).decode()


def unpack(text: str) -> np.ndarray:
    """What ``pack`` packed, (requests, classes)."""
    import numpy as np

    plain = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i2")
    return plain.reshape(-1, len(NAMES)) / HUNDREDTHS


def _parsed(data: Mapping[str, Any]) -> Recording:
    if tuple(data["classes"]) != NAMES:
        raise ValueError("other classes")
    trained = tuple(Trained(**one) for one in data["trained"])
    return Recording(str(data["base"]), str(data["data"]), measured.made_of(data), trained)
