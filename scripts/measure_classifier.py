"""``PYTHONPATH=. python scripts/measure_classifier.py``: trains the classifiers of the lesson and judges them.

Writes content/measured/classifier.json: five kinds, four numbers of examples, three seeds at the lesson's number; under
five minutes of one core. Leaves out what is trained (``demos.classifier``).
"""

from __future__ import annotations

import argparse
import time

from demos.classifier import parts, recorded, training
from demos.classifier.recorded import Recording, Trained
from demos.finetuning import measured
from scripts.made import made


def main() -> int:
    """Train and store everything; the exit status."""
    import torch

    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    training.fit("probe", parts.training(parts.SIZES[0]), 0)  # imports and files are not training
    training.sequence_model(lora=True)
    found = tuple(train(*each) for each in recorded.wanted())
    script = made("scripts/measure_classifier.py")
    recorded.write(Recording(measured.base(), parts.fingerprint(), script, found))
    return 0


def train(method: str, examples: int, seed: int) -> Trained:
    """One classifier, trained and judged."""
    known, every = parts.training(examples), parts.parts()
    begun = time.process_time()
    scores = training.fit(method, known, seed)
    seconds = time.process_time() - begun
    packed = recorded.pack(scores(every.test))
    hits = recorded.unpack(packed).argmax(1) == parts.truth(every.test)  # (requests,): of what is kept
    told = Trained(
        method,
        examples,
        seed,
        fitted=int((scores(known).argmax(1) == parts.truth(known)).sum()),
        right=int(hits.sum()),
        hundred=int(hits[list(every.hundred)].sum()),
        seconds=round(seconds, 2),
        validation="" if seed else recorded.pack(scores(every.validation)),
        test="" if seed else packed,
    )
    print(method, examples, seed, told.fitted, told.right, told.hundred, told.seconds, flush=True)
    return told


if __name__ == "__main__":
    raise SystemExit(main())
