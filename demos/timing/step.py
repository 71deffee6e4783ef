"""One training step of the bundled model under ``torch.profiler``: which operators take the time, in which phase.

Real work on real weights, in the compute process, after a step to warm up. Times are this machine's, of one thread, and
differ from call to call; the profiler itself makes small operators look larger. Leaves out GPUs and data loading.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from collections.abc import Callable

Phase = Literal["forward", "backward", "optimizer"]
PHASES: tuple[Phase, ...] = ("forward", "backward", "optimizer")
KINDS = {
    "matmul": ("addmm", "mm", "bmm", "matmul", "linear", "Addmm", "Mm", "Bmm"),
    "attention": ("scaled_dot_product", "flash_attention", "ScaledDot"),
    "loss": ("log_softmax", "nll_loss", "cross_entropy", "LogSoftmax", "NllLoss"),
    "embedding": ("embedding", "Embedding"),
    "memory": ("copy_", "clone", "contiguous", "empty", "zero_", "_to_copy", "AccumulateGrad", "detach"),
}
"""Kinds of operators by parts of their names; the rest is elementwise: normalisations, SiLU, sums, rotations."""
SHORTEST = 0.002
"""Part of the step below which an operator is not drawn alone."""
MOST_ROWS, MOST_TOKENS = 25, 2048


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The batch, and what is trained."""

    batch: int = parameter(4, "Примеров в шаге", low=1, high=32)
    length: int = parameter(32, "Токенов в примере", low=4, high=256)
    method: Literal["full", "lora"] = parameter("full", "Метод", words={"full": "полное", "lora": "LoRA, r = 8"})
    checkpointing: bool = parameter(False, "Чекпоинтинг активаций")
    attempt: int = parameter(1, "Измерение №", low=1, high=1000, note="Другой номер — новое измерение.")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the timeline, in milliseconds from the step's beginning."""

    phase: Phase
    kind: str
    name: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Row:
    """An operator in a phase: its own time, that of what it calls left out."""

    name: str
    kind: str
    phase: Phase
    calls: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """One step. Milliseconds."""

    total: float
    phases: tuple[float, float, float]  # forward, backward, optimizer
    kinds: tuple[tuple[str, float], ...]  # own time by kind, the largest first
    rows: tuple[Row, ...]
    spans: tuple[Span, ...]
    operators: int  # calls recorded
    tokens_per_second: float
    threads: int


def step(params: Params) -> Result:
    """Profile one step; a fraction of a second after the model is loaded once.

    Raises:
        ParamsError: too many tokens for an answer at once.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    if params.batch * params.length > MOST_TOKENS:
        raise ParamsError(f"Токенов в шаге не больше {MOST_TOKENS}: уменьшите число примеров или их длину.")
    run = _step(params)
    run()  # memory is taken, kernels are chosen
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        run()
    events = [event for event in profiler.events() if not event.is_async]
    return _result(params, events, torch.get_num_threads())


def _step(params: Params) -> Callable[[], None]:
    """A function that takes one step, its phases marked."""
    import torch
    from torch.profiler import record_function

    model = _model(params.method, checkpointing=params.checkpointing)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.0)  # the same arithmetic; the bundled model stays what it is
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, model.config.vocab_size, (params.batch, params.length), generator=generator)

    def run() -> None:
        with record_function("forward"):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        with record_function("backward"):
            loss.backward()
        with record_function("optimizer"):
            optimizer.step()
            optimizer.zero_grad()

    return run


@cache
def _model(method: str, *, checkpointing: bool) -> Any:
    """The bundled model ready to train; loaded once for each kind."""
    from transformers import AutoModelForCausalLM

    from demos.finetuning import base_model

    model = AutoModelForCausalLM.from_pretrained(base_model.FOLDER)
    if checkpointing:
        model.activation_checkpointing_enable()
    if method == "lora":
        from peft import LoraConfig, get_peft_model

        if checkpointing:
            model.enable_input_require_grads()
        wrapped: Any = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
        return wrapped.train()
    return model.train()


def _result(params: Params, events: list[Any], threads: int) -> Result:
    marks = {event.name: event for event in events if event.name in PHASES}
    begin = marks["forward"].time_range.start
    ends = [marks[phase].time_range for phase in PHASES]
    total = (ends[-1].end - begin) / 1000
    found: dict[tuple[str, Phase], list[float]] = defaultdict(list)
    spans = []
    for event in events:
        phase = _phase(event, marks)
        if event.name in PHASES or phase is None:
            continue
        found[_short(event.name), phase].append(event.self_cpu_time_total / 1000)
        length = event.time_range.elapsed_us() / 1000
        if _outermost(event) and length >= SHORTEST * total:
            spans.append(
                Span(
                    phase, kind(event.name, phase), _short(event.name), (event.time_range.start - begin) / 1000, length
                )
            )
    rows = [Row(name, kind(name, phase), phase, len(times), sum(times)) for (name, phase), times in found.items()]
    sums: dict[str, float] = defaultdict(float)
    for row in rows:
        sums[row.kind] += row.milliseconds
    first, second, third = (span.elapsed_us() / 1000 for span in ends)
    return Result(
        total=total,
        phases=(first, second, third),
        kinds=tuple(sorted(sums.items(), key=lambda item: -item[1])),
        rows=tuple(sorted(rows, key=lambda row: -row.milliseconds)[:MOST_ROWS]),
        spans=tuple(sorted(spans, key=lambda span: span.start)),
        operators=sum(row.calls for row in rows),
        tokens_per_second=1000 * params.batch * params.length / total,
        threads=threads,
    )


def kind(name: str, phase: Phase) -> str:
    """What sort of work an operator does; whatever the optimizer calls is its own."""
    if phase == "optimizer":
        return "optimizer"
    return next((title for title, parts in KINDS.items() if any(part in name for part in parts)), "elementwise")


def _phase(event: Any, marks: dict[str, Any]) -> Phase | None:
    """The phase in whose time the operator began."""
    start = event.time_range.start
    return next((p for p in PHASES if marks[p].time_range.start <= start <= marks[p].time_range.end), None)


def _outermost(event: Any) -> bool:
    """Whether nothing but a phase or the optimizer's own frame stands around the operator."""
    parent = event.cpu_parent
    return parent is None or parent.name in PHASES or parent.name.startswith("Optimizer")


def _short(name: str) -> str:
    return name.removeprefix("aten::").removeprefix("autograd::engine::evaluate_function: ")
