"""The control: nothing is trained. What does quantizing the base alone change?

Leaves out training (``session``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demos.finetuning import evaluate
from demos.finetuning.channel import Channel, peak_memory
from demos.finetuning.events import Evaluated, Finished, Started
from demos.finetuning.quantized import open_base, stored_bytes
from demos.finetuning.session import Setting, ask, compared, prepare, probe
from demos.finetuning.spec import RunSpec

if TYPE_CHECKING:
    from demos.finetuning.tasks import Data

FIRST = 8
"""Training examples whose loss is compared."""


def compare(spec: RunSpec, channel: Channel, data: Data | None) -> Finished:
    """Put the same questions to the original base and to the base as the spec quantizes it.

    Raises:
        ParamsError: no such base or task.
        Cancelled: nobody reads any more.
    """
    channel.stage("load", "Загружаем базовую модель: исходную и квантованную")
    original, base = open_base(spec, original=True), open_base(spec)
    examples = prepare(spec, channel, data)
    first = [evaluate.loss(one.model, one.tokenizer, examples.train[:FIRST]) for one in (original, base)]
    total = sum(parameter.numel() for parameter in original.model.parameters())
    channel.say(
        Started(
            trainable=0,
            total=total,
            share=0.0,
            optimizer_bytes=0,
            base_bytes=stored_bytes(base.model),
            steps=0,
            train_examples=len(examples.train),
            trained_tokens=0,
            all_tokens=0,
            first_loss=first[1].mean,
            base_loss=first[0].mean,
            overfit_loss=first[1].mean,
            label=first[1].label,
            layers=(),
            seconds=channel.seconds(),
        )
    )
    channel.stage("before", "Спрашиваем исходную базу")
    before = ask(Setting(spec, channel, original, examples), original.model)
    channel.stage("after", "Спрашиваем квантованную базу")
    after = ask(Setting(spec, channel, base, examples), base.model)
    losses = [evaluate.loss(one.model, one.tokenizer, examples.validation).mean for one in (original, base)]
    channel.say(Evaluated(0, losses[1], channel.seconds()))
    difference = probe(base, base.model, examples) - probe(original, original.model, examples)
    return Finished(
        **compared(examples, before, after),
        validation_before=losses[0],
        validation_after=losses[1],
        adapter_off_equals_base=None,
        adapter_off_difference=float(difference.abs().max()),
        steps=0,
        stopped_early=False,
        peak_memory=peak_memory(),
        file_bytes=0,
        train_seconds=0.0,
        seconds=channel.seconds(),
    )
