"""Before the first step: what is trained on, how much of it, and whether it can be learned at all.

Everything is read from the trainer itself, so it is what will really happen. Random state and parameters are as before
afterwards. Leaves out checks of the spec against the model (``methods.targets``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from common import numbers
from demos.finetuning import methods
from demos.finetuning.quantized import Base
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError

if TYPE_CHECKING:
    from demos.finetuning.skills import Message

IGNORED = -100
FEW_STEPS = 8
FEW_ROWS = 8
CLOSE = 1e-3
"""First loss and base's loss may differ by so much through rounding."""


class NothingTrained(ParamsError):
    """No token of an answer would enter the loss; the message is a Russian sentence."""

    code = "no_trained_tokens"


@dataclass(frozen=True, slots=True)
class Found:
    """What the preflight saw; alarms as (code, Russian sentence)."""

    train_examples: int
    trained_tokens: int
    all_tokens: int
    first_loss: float
    base_loss: float
    overfit_loss: float
    label: str
    alarms: tuple[tuple[str, str], ...]


def answered(chats: Sequence[Sequence[Message]]) -> tuple[Sequence[Sequence[Message]], str]:
    """The chats in which the assistant says something, and a sentence about the others.

    Raises:
        NothingTrained: there is none.
    """
    good = [chat for chat in chats if any(item.role == "assistant" and item.content.strip() for item in chat)]
    if not good:
        raise NothingTrained(
            "Обучать не на чем: ни в одном примере нет ответа ассистента, и в потери не попадёт ни один токен. "
            "Проверьте, что у сообщений с ответами роль assistant и непустой текст."
        )
    left = len(chats) - len(good)
    if not left:
        return good, ""
    return good, f"{numbers.plural(left, 'пример', 'примера', 'примеров')} без ответа ассистента: учить там нечему."


def look(spec: RunSpec, base: Base, trainer: Any, *, given: int, original: Any = None) -> Found:
    """Inspect a trainer that was built from ``given`` examples.

    Raises:
        NothingTrained: no token enters the loss.
    """
    rows = trainer.train_dataset
    labels = rows["labels"]
    trained = sum(sum(label != IGNORED for label in row) for row in labels)
    if not trained:
        raise NothingTrained("В потери не попадёт ни один токен: проверьте ответы ассистента и шаблон чата.")
    lengths = [len(row) for row in labels]
    model, batch = trainer.model, _batch(trainer)
    with unchanged(model):
        model.eval()
        first = _loss(model, batch)
        with methods.off(spec, model):
            off = _loss(model, batch)
        overfit = _overfit(spec, model, batch)
    base_loss = off if original is None or spec.quantization != "none" else _loss(original, batch, fused=False)
    alarms = (*_cut(spec, base, rows, lengths, given), *_doubts(spec, first, base_loss, overfit))
    label = shown(base.tokenizer, rows[0]["input_ids"], rows[0]["labels"])
    return Found(given if spec.packing else len(rows), trained, sum(lengths), first, base_loss, overfit, label, alarms)


def shown(tokenizer: Any, ids: Sequence[int], labels: Sequence[int], most: int = 600) -> str:
    """An example in words; what enters the loss stands between ‹ and ›."""
    text = ""
    for trained, group in groupby(zip(ids, labels, strict=True), key=lambda pair: pair[1] != IGNORED):
        words = tokenizer.decode([token for token, _ in group])
        text += f"‹{words}›" if trained else words
    return text if len(text) <= most else f"{text[: most - 1]}…"


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Whatever is done inside, trainable parameters, random state and mode are as before afterwards."""
    import torch

    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before, training = [parameter.detach().clone() for parameter in trainable], model.training
    with torch.random.fork_rng():
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, value in zip(trainable, before, strict=True):
                    parameter.copy_(value)
                    parameter.grad = None
            model.train(training)


def _batch(trainer: Any) -> dict[str, Any]:
    """The first rows, collated as the trainer does it."""
    wanted = [name for name in ("input_ids", "labels", "seq_lengths") if name in trainer.train_dataset.column_names]
    few = min(FEW_ROWS, trainer.args.per_device_train_batch_size, len(trainer.train_dataset))  # packed rows are long
    chosen = trainer.train_dataset.select(range(few)).select_columns(wanted)
    batch: dict[str, Any] = trainer._prepare_inputs(trainer.data_collator(list(chosen)))
    return batch


def _loss(model: Any, batch: Mapping[str, Any], *, fused: bool = True) -> float:
    """The loss that the trainer will report for this batch."""
    import torch

    with torch.no_grad():
        return float(_graph(model, batch) if fused else model(**batch, use_cache=False).loss)


def _graph(model: Any, batch: Mapping[str, Any]) -> Any:
    """trl's own way: log-probabilities of the wanted tokens without all the logits."""
    out = model(**batch, use_cache=False, fused_lm_head=True)
    return -out.log_probs.sum() / out.label_mask.sum()


def _overfit(spec: RunSpec, model: Any, batch: Mapping[str, Any]) -> float:
    """The loss after a few steps on one batch: what cannot learn eight examples will not learn a thousand."""
    import torch

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, spec.learning_rate, weight_decay=0.0)
    for _ in range(FEW_STEPS):
        optimizer.zero_grad()
        _graph(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    return _loss(model, batch)


def _cut(spec: RunSpec, base: Base, rows: Any, lengths: Sequence[int], given: int) -> Iterator[tuple[str, str]]:
    """Examples that were cut or dropped because they are too long."""
    if spec.packing:
        return
    end = base.tokenizer.eos_token_id
    cut = sum(
        length == base.positions and row[-1] != end for length, row in zip(lengths, rows["input_ids"], strict=True)
    )
    lost = given - len(lengths)
    if cut or lost:
        many = numbers.plural(cut + lost, "пример обрезан", "примера обрезаны", "примеров обрезаны")
        yield (
            "truncated",
            (
                f"{many}: в модель входит не больше {base.positions} токенов"
                + (f", и в {lost} из них не осталось ответа." if lost else ".")
            ),
        )


def _doubts(spec: RunSpec, first: float, base_loss: float, overfit: float) -> Iterator[tuple[str, str]]:
    if methods.starts_as_base(spec) and abs(first - base_loss) > CLOSE * max(1.0, base_loss):
        yield (
            "first_loss",
            (
                f"Первые потери {numbers.decimal(first, 3)} не равны потерям базы {numbers.decimal(base_loss, 3)}: "
                "необученный адаптер не должен ничего менять."
            ),
        )
    if not overfit < first:  # not a number included
        yield (
            "overfit",
            (
                f"За {numbers.plural(FEW_STEPS, 'шаг', 'шага', 'шагов')} один и тот же пакет не выучился: потери были "
                f"{numbers.decimal(first)}, стали {numbers.decimal(overfit)}. Проверьте скорость обучения."
            ),
        )
