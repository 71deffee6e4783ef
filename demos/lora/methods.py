"""Methods of PEFT side by side on one model: what each trains, how much of it, what file it leaves.

Counts are closed forms (``demos.finetuning.counting``), files are counted to the byte (``adapter_file``); PEFT itself
says the same on the meta device (``checking``). Leaves out activations (``demos.memory``) and how well a method learns
(the recorded runs of ``finetuning.methods``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast

from demos.finetuning import counting
from demos.finetuning.spec import LOW_RANK, RunSpec
from demos.finetuning.spec import Method as LabMethod
from demos.lora import adapter_file
from demos.lora.adapter_file import Wanted
from demos.lora.architectures import Architecture
from demos.lora.matching import Level, Match, alarm, match, paths
from demos.lora.models import ALL_LINEAR, ARCHITECTURES
from demos.params import Checked, parameter

Saved = Literal["norm-head", "head", "embedding-head"]
BY_TARGETS = frozenset((*LOW_RANK, "modules_to_save", "trainable_tokens"))
"""Methods that go by the target names chosen here."""
MOMENTS = 2
"""AdamW keeps two numbers, of the parameter's own type, for each trained one."""


@dataclass(frozen=True, slots=True)
class Method:
    """What a learner should know of a method before its numbers."""

    title: str
    trains: str
    formula: str
    note: str = ""


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "lora": Method("LoRA", "добавка B·A рядом с замороженной W", "r·(вход + выход) на слой"),
        "rslora": Method(
            "rsLoRA", "то же, что LoRA: другой только множитель — α/√r вместо α/r", "r·(вход + выход) на слой"
        ),
        "dora": Method("DoRA", "B·A и длина каждой строки W", "r·(вход + выход) + выход на слой"),
        "adalora": Method(
            "AdaLoRA",
            "P·Λ·Q; лишние направления срезает по ходу",
            "r₀·(вход + выход) + r₀ на слой, r₀ = 1,5·r",
            "Файл посчитан так, будто в каждом слое остался ранг r: слои разойдутся, среднее — нет. Над базой в 16 бит "
            "PEFT 0.21 по ошибке помечает обучаемым ещё одно число на слой, его счётчик рангов.",
        ),
        "vera": Method(
            "VeRA",
            "два вектора на слой; A и B случайные, заморожены, общие для всех слоёв",
            "r + выход на слой",
            "В файл PEFT кладёт и замороженные A и B, поэтому он больше, чем обученного.",
        ),
        "ia3": Method("IA³", "по одному множителю на канал ключей, значений и MLP", "выход или вход слоя"),
        "prompt": Method("Prompt tuning", "векторы вместо слов перед запросом", "токены · ширина модели"),
        "prefix": Method("Prefix tuning", "готовые ключи и значения в каждом слое", "токены · слои · 2 · размер k, v"),
        "ptuning": Method(
            "P-tuning",
            "векторы перед запросом через трёхслойный кодировщик",
            "токены · d + 3·(d² + d), d — ширина модели",
            "Кодировщик нужен только в обучении: в файл идут готовые векторы.",
        ),
        "bottleneck": Method(
            "Вставки (bottleneck)",
            "узкая сеть после внимания и после MLP",
            "2·слои·(2·d·m + m + d), m — ширина вставки",
            "В PEFT их нет: это код курса и его же формат файла.",
        ),
        "modules_to_save": Method(
            "LoRA + modules_to_save",
            "LoRA и целые модули базы, копией",
            "LoRA + все веса этих модулей",
            "Копии PEFT хранит в типе базы, здесь это 16 бит; моменты AdamW — тоже.",
        ),
        "trainable_tokens": Method(
            "LoRA + trainable_token_indices",
            "LoRA и отдельные строки эмбеддинга",
            "LoRA + токены · ширина модели",
        ),
    }
)
"""Every method compared, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The model and the settings of all methods at once."""

    architecture: str = parameter("mistral-7b", "Модель", choices=tuple(ARCHITECTURES))
    rank: int = parameter(16, "Ранг r", low=1, high=4096)
    targets: tuple[str, ...] = parameter(
        ("q_proj", "v_proj"), "Целевые слои", note="имена через запятую, готовый набор или all-linear"
    )
    vera_rank: int = parameter(256, "Ранг VeRA", low=1, high=4096, note="его матрицы не обучаются, поэтому он большой")
    virtual_tokens: int = parameter(20, "Виртуальных токенов", low=1, high=256)
    bottleneck: int = parameter(64, "Ширина вставки", low=1, high=4096)
    saved: Saved = parameter("norm-head", "Целиком (modules_to_save)", choices=("norm-head", "head", "embedding-head"))
    new_tokens: int = parameter(3, "Новых токенов", low=1, high=1000, note="trainable_token_indices")


@dataclass(frozen=True, slots=True)
class Row:
    """One method. A method that PEFT would refuse (no such layers) has zeros and ``accepted`` false."""

    method: str
    title: str
    trains: str
    formula: str
    note: str
    accepted: bool
    trainable: int = 0
    share: float = 0.0  # of the base and what is added, as ``print_trainable_parameters()`` says
    tensors: int = 0  # entries of the file
    header_bytes: int = 0
    file_bytes: int = 0
    gradient_bytes: int = 0
    optimizer_bytes: int = 0  # both moments of AdamW


@dataclass(frozen=True, slots=True)
class Result:
    """All methods on one model."""

    title: str
    base: int
    rank: int
    rows: tuple[Row, ...]
    level: Level
    alarm: str  # Russian; empty when the target names mean what they say
    notes: tuple[str, ...]


def methods(params: Params) -> Result:
    """Count every method.

    Raises:
        ParamsError: no target names, or what is no name.
    """
    architecture = ARCHITECTURES[params.architecture]
    taken = match(architecture, params.targets)
    level, words = alarm(architecture, taken)
    rows = tuple(_row(name, params, architecture, taken) for name in METHODS)
    return Result(architecture.title, architecture.base, params.rank, rows, level, words, _notes(params, architecture))


def spec(method: str, params: Params) -> RunSpec:
    """The recipe of a method: one of the fine-tuning lab's own; LoRA for its two relatives that the lab has not."""
    known = method if method not in ("modules_to_save", "trainable_tokens") else "lora"
    targets = match(ARCHITECTURES[params.architecture], params.targets).targets
    return RunSpec(
        method=cast("LabMethod", known),  # every name here is one of its
        quantization="none",
        rank=params.vera_rank if method == "vera" else params.rank,
        targets=(ALL_LINEAR,) if method == "ia3" else targets,  # the places of IA³'s paper
        virtual_tokens=params.virtual_tokens,
        bottleneck=params.bottleneck,
    )


def copied(params: Params, architecture: Architecture) -> tuple[str, ...]:
    """``modules_to_save`` in this model's own names."""
    gpt2 = architecture.family == "gpt2"
    norm, embedding = ("ln_f", "wte") if gpt2 else ("norm", "embed_tokens")
    return {"norm-head": (norm, "lm_head"), "head": ("lm_head",), "embedding-head": (embedding, "lm_head")}[
        params.saved
    ]


def _wanted(method: str, params: Params, architecture: Architecture, taken: Match) -> Wanted:
    layers = paths(architecture, taken)
    if method == "ia3":
        places = counting.count(architecture, spec(method, params)).layers
        layers = tuple((layer, tuple(architecture.keys(layer.path))) for layer, _ in places)
    return Wanted(
        architecture=architecture,
        layers=layers,
        rank=params.vera_rank if method == "vera" else params.rank,
        tokens=params.virtual_tokens,
        width=params.bottleneck,
        copied=copied(params, architecture),
        new_tokens=params.new_tokens,
    )


def _row(method: str, params: Params, architecture: Architecture, taken: Match) -> Row:
    known = METHODS[method]
    words = (method, known.title, known.trains, known.formula, known.note)
    if method in BY_TARGETS and not taken.accepted:
        return Row(*words, accepted=False)
    wanted = _wanted(method, params, architecture, taken)
    entries = adapter_file.tensors(method, wanted)
    narrow = sum(tensor.numbers for tensor in entries if tensor.dtype == "BF16")
    trainable = _trainable(method, params, wanted, narrow)
    ranks = sum(len(names) for _, names in wanted.layers) if method == "adalora" else 0  # PEFT keeps a rank a layer
    header = adapter_file.header_bytes(entries, peft=method != "bottleneck")
    gradients = adapter_file.BYTES["F32"] * (trainable - narrow) + adapter_file.BYTES["BF16"] * narrow
    return Row(
        *words,
        accepted=True,
        trainable=trainable,
        share=trainable / (architecture.base + trainable + ranks),
        tensors=len(entries),
        header_bytes=header,
        file_bytes=header + sum(tensor.bytes for tensor in entries),
        gradient_bytes=gradients,
        optimizer_bytes=MOMENTS * gradients,
    )


def _trainable(method: str, params: Params, wanted: Wanted, copies: int) -> int:
    trained = counting.count(wanted.architecture, spec(method, params)).trainable
    if method == "modules_to_save":
        return trained + copies
    if method == "trainable_tokens":
        return trained + params.new_tokens * wanted.architecture.sizes.hidden
    return trained


def _notes(params: Params, architecture: Architecture) -> tuple[str, ...]:
    notes = []
    norms = sum(architecture.times(norm.path) for norm in architecture.norms)
    if params.saved == "norm-head" and architecture.family != "gpt2":
        notes.append(
            f"Имя «norm» в modules_to_save берёт не одну последнюю нормализацию, а все {norms}: "
            "PEFT смотрит, чем имя модуля кончается."
        )
    if architecture.sizes.tied:
        notes.append(
            "Выходной слой этой модели делит матрицу с эмбеддингом. В modules_to_save у него появится своя копия, "
            "и общей матрицы больше не будет."
        )
    if architecture.family == "phi3":
        notes.append("Для Phi-3 в PEFT нет готовых мест IA³: посчитаны все линейные слои.")
    return tuple(notes)
