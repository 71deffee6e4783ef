"""One run from the base to what changed, in the order in which a learner sees it.

Loads, looks before the first step, asks the held-out questions, trains, asks again, compares and saves. Everything here
runs in the run's own thread and says what it does through the channel. Leaves out the thread itself (``run``) and the
control without training (``control``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from common import numbers
from demos.finetuning import evaluate, methods, preflight, skills, training
from demos.finetuning.callbacks import connect
from demos.finetuning.channel import Channel, peak_memory
from demos.finetuning.events import Answer, Finished, Retention, Score, Started
from demos.finetuning.progress import Progress
from demos.finetuning.quantized import Base, open_base, stored_bytes
from demos.finetuning.saving import save
from demos.finetuning.spec import COURSE_BASE, VIRTUAL, RunSpec
from demos.finetuning.statistics import mcnemar, wilson
from demos.params import ParamsError

if TYPE_CHECKING:
    from demos.finetuning.skills import Message
    from demos.finetuning.tasks import Data

Chat = Sequence["Message"]
VALIDATION = 100
"""Validation examples that are looked at while training: more would cost steps."""
SHOWN = 40
"""Answers kept example by example."""
PROBES = 4
"""Prompts whose logits tell whether the adapter, switched off, leaves the base as it was."""


class Diverged(ParamsError):
    """Training was stopped because the loss went up or was no number."""

    code = "diverged"


@dataclass(frozen=True, slots=True)
class Examples:
    """What a run really uses of its data."""

    train: Sequence[Chat]
    validation: Sequence[Chat]
    test: Sequence[Chat]

    @property
    def prompts(self) -> list[Chat]:
        """What is asked of each held-out example."""
        return [chat[:-1] for chat in self.test]

    @property
    def right(self) -> list[str]:
        """The right answers."""
        return [chat[-1].content for chat in self.test]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of a run needs."""

    spec: RunSpec
    channel: Channel
    base: Base
    examples: Examples
    kinds: tuple[str, ...] = ()  # names of the layers that the method changes


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model answered: to the held-out examples and to questions of its old skills."""

    answers: list[str]
    retention: dict[str, Score]


def choose(spec: RunSpec, data: Data) -> Examples:
    """The examples that a spec asks for; old skills are mixed in where it wants a replay."""
    train = list(data.train[: spec.examples] if spec.examples else data.train)
    if spec.replay:
        random = Random(f"replay {spec.seed}")
        old = round(len(train) * spec.replay / (1 - spec.replay))
        train += [skills.draw(random, "train").messages for _ in range(old)]
        random.shuffle(train)
    validation = sorted(data.validation[:VALIDATION], key=lambda chat: sum(len(item.content) for item in chat))
    return Examples(train, validation, data.test[: spec.held_out])


def ask(setting: Setting, model: Any) -> Asked:
    """Put the held-out questions to a model."""
    tokenizer, check = setting.base.tokenizer, setting.channel.check
    most = evaluate.longest(tokenizer, setting.examples.right)
    answers = evaluate.greedy(model, tokenizer, setting.examples.prompts, most=most, check=check)
    old = evaluate.retention(model, tokenizer, check) if setting.spec.base == COURSE_BASE else {}
    return Asked(answers, old)


def probe(base: Base, model: Any, examples: Examples) -> Any:
    """Logits of a few prompts: (prompts, length, vocabulary)."""
    import torch

    rows = evaluate.encode(base.tokenizer, examples.prompts[:PROBES])
    padded = base.tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(base.device)
    with torch.no_grad():
        logits = model.eval()(**padded).logits.float()
    return logits[padded["attention_mask"].bool()]  # (tokens, vocabulary)


def compared(examples: Examples, before: Asked, after: Asked) -> dict[str, Any]:
    """The fields of ``Finished`` that compare two sets of answers."""
    marks = [
        (evaluate.is_right(one, right), evaluate.is_right(other, right))
        for one, other, right in zip(before.answers, after.answers, examples.right, strict=True)
    ]
    gained, lost = marks.count((False, True)), marks.count((True, False))
    return {
        "before": wilson(sum(one for one, _ in marks), len(marks)),
        "after": wilson(sum(other for _, other in marks), len(marks)),
        "gained": gained,
        "lost": lost,
        "p_value": mcnemar(gained, lost),
        "retention": tuple(Retention(name, score, after.retention[name]) for name, score in before.retention.items()),
        "answers": _answers(examples, before, after, marks),
    }


def tune(spec: RunSpec, channel: Channel, data: Data | None, folder: Path | None) -> Finished:
    """Train as the spec says and measure what changed.

    Raises:
        ParamsError: the spec does not fit the model or the data.
        Diverged: training had to be stopped.
        Cancelled: nobody reads any more.
    """
    setting = _open(spec, channel, data)
    base, examples = setting.base, setting.examples
    loaded = probe(base, base.model, examples)
    channel.stage("before", "Спрашиваем базу: ответы до обучения")
    before = ask(setting, base.model)
    channel.stage("preflight", "Проверяем перед стартом: что и на чём обучится")
    progress = Progress(spec, channel)
    with tempfile.TemporaryDirectory(prefix="run-") as output:
        reporter = connect(progress, spec)
        bytes_of_base = stored_bytes(base.model)
        trainer = training.build(spec, base, examples.train, examples.validation, output=output, callback=reporter)
        _inspect(setting, trainer, bytes_of_base)
        _train(spec, trainer, progress)
        model = trainer.model
        reporter.restore(model)
        channel.stage("after", "Спрашиваем дообученную модель")
        after = ask(setting, model)
        equal, difference = _switched_off(setting, model, loaded)
        channel.stage("save", "Сохраняем")
        written = save(spec, base, trainer, examples, folder or Path(output) / "saved")
    return Finished(
        **compared(examples, before, after),
        validation_before=progress.validation[0],
        validation_after=min(progress.validation) if progress.stopped_early else progress.validation[-1],
        adapter_off_equals_base=equal,
        adapter_off_difference=difference,
        steps=progress.step,
        stopped_early=progress.stopped_early,
        peak_memory=peak_memory(),
        file_bytes=written,
        train_seconds=progress.train_seconds,
        seconds=channel.seconds(),
    )


def prepare(spec: RunSpec, channel: Channel, data: Data | None) -> Examples:
    """The data of a run, without examples that teach nothing.

    Raises:
        ParamsError: no such task, or nothing to train on.
    """
    channel.stage("data", "Готовим данные")
    if data is None:
        from demos.finetuning import tasks

        data = tasks.build(spec.task)
    examples = choose(spec, data)
    train, complaint = preflight.answered(examples.train)
    if complaint:
        channel.alarm("no_answer", complaint)
    validation = preflight.answered(examples.validation)[0] if examples.validation else train[:VALIDATION]
    return Examples(train, validation, examples.test)


def _open(spec: RunSpec, channel: Channel, data: Data | None) -> Setting:
    channel.stage("load", "Загружаем базовую модель")
    base = open_base(spec)
    taken, kinds = methods.adapted(spec, base.model)
    if taken.warning:
        channel.alarm("partial_targets", taken.warning)
    return Setting(spec, channel, base, prepare(spec, channel, data), kinds)


def _inspect(setting: Setting, trainer: Any, bytes_of_base: int) -> None:
    """The preflight, said as ``Started`` and alarms."""
    spec, channel = setting.spec, setting.channel
    original = open_base(spec, original=True).model if spec.method == "pissa" else None  # PiSSA changes the base
    found = preflight.look(spec, setting.base, trainer, given=len(setting.examples.train), original=original)
    parameters = list(trainer.model.parameters())
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    total = methods.count(trainer.model)
    channel.say(
        Started(
            trainable=trainable,
            total=total,
            share=trainable / total,
            optimizer_bytes=sum(2 * p.numel() * p.element_size() for p in parameters if p.requires_grad),
            base_bytes=bytes_of_base,
            steps=spec.steps,
            train_examples=found.train_examples,
            trained_tokens=found.trained_tokens,
            all_tokens=found.all_tokens,
            first_loss=found.first_loss,
            base_loss=found.base_loss,
            overfit_loss=found.overfit_loss,
            label=found.label,
            layers=setting.kinds,
            seconds=channel.seconds(),
        )
    )
    for code, text in found.alarms:
        channel.alarm(code, text)


def _train(spec: RunSpec, trainer: Any, progress: Progress) -> None:
    """All steps, with the validation loss before the first and after the last."""
    import torch

    with torch.random.fork_rng():
        if spec.method in VIRTUAL:
            with methods.off(spec, trainer.model):
                trainer.evaluate()
        else:
            trainer.evaluate()
    progress.channel.stage("train", "Обучаем")
    progress.resume()
    trainer.train()
    if progress.diverged:
        raise Diverged(
            f"Обучение разошлось: потери растут. Уменьшите скорость обучения — сейчас "
            f"{numbers.decimal(spec.learning_rate, 4)}, попробуйте в десять раз меньше."
        )
    if not progress.stopped_early and spec.steps % spec.evaluate_every:
        trainer.evaluate()


def _switched_off(setting: Setting, model: Any, loaded: Any) -> tuple[bool | None, float | None]:
    """Is the base as it was loaded, bit for bit; and how far it is from the original, unquantized one."""
    spec, base, examples = setting.spec, setting.base, setting.examples
    if spec.method == "full":
        return None, None
    with methods.off(spec, model):
        now = probe(base, model, examples)
    original = loaded if spec.quantization == "none" else None
    if original is None and spec.base == COURSE_BASE:
        whole = open_base(spec, original=True)
        original = probe(whole, whole.model, examples)
    difference = None if original is None else float((now - original).abs().max())
    return bool((now == loaded).all()), difference


def _answers(examples: Examples, before: Asked, after: Asked, marks: Sequence[tuple[bool, bool]]) -> tuple[Answer, ...]:
    """Wrong ones first, then those that changed, then the rest."""
    order = sorted(range(len(marks)), key=lambda index: (marks[index][1], marks[index][0]))
    return tuple(
        Answer(
            "\n".join(item.content for item in examples.prompts[index]),
            examples.right[index],
            before.answers[index],
            after.answers[index],
        )
        for index in order[:SHOWN]
    )
