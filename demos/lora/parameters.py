"""The LoRA calculator: how many parameters an adapter trains and what they cost, without building the model.

A layer y = W x with W of outputs × inputs gets A (rank × inputs) and B (outputs × rank): rank · (inputs + outputs)
parameters. Agrees to the parameter with ``print_trainable_parameters()`` of PEFT (``demos.lora.meta`` counts there).
Leaves out activations, DoRA and ``modules_to_save``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from common import numbers
from demos.lora.architectures import FAMILIES, Architecture, Family, Module, Sizes, build
from demos.lora.matching import Level, Match, alarm, match
from demos.lora.models import ARCHITECTURES, CUSTOM
from demos.params import Checked, ParamsError, parameter

Bias = Literal["none", "all", "lora_only"]
BIASES: Mapping[Bias, str] = MappingProxyType({"none": "без сдвигов", "lora_only": "у слоёв с LoRA", "all": "все"})
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of one number."""
BASE_BYTES = 2
"""The frozen base is taken to lie in 16 bits, as checkpoints come."""
LARGEST = 10**13
"""A model typed in by hand may have ten trillion parameters, not more."""
_KINDS = {"attention": "внимание", "mlp": "MLP", "embedding": "эмбеддинги", "head": "выходной слой", "bias": "сдвиги"}
_SAVED_WHOLE = {"embed_tokens", "lm_head"}  # peft.utils.constants.EMBEDDING_LAYER_NAMES


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What to count. The sizes from ``family`` on are read only when ``architecture`` is ``custom``."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=(*ARCHITECTURES, CUSTOM))
    rank: int = parameter(8, "Ранг r", low=1, high=65536)
    alpha: float = parameter(16, "Альфа (lora_alpha)", low=0, high=10**6)
    targets: tuple[str, ...] = parameter(
        ("q_proj", "v_proj"), "Целевые слои", note="имена через запятую, готовый набор или all-linear"
    )
    bias: Bias = parameter("none", "Сдвиги (bias)", words=BIASES)
    dtype: str = parameter("float32", "Тип чисел адаптера", choices=tuple(BYTES))
    rslora: bool = parameter(False, "rsLoRA (масштаб α/√r)")
    family: Family = parameter("llama", "Устройство слоёв", words=FAMILIES)
    hidden: int = parameter(2048, "Ширина модели", low=1, high=10**6)
    layers: int = parameter(16, "Число слоёв", low=1, high=1000)
    heads: int = parameter(16, "Голов запросов", low=1, high=10**4)
    kv_heads: int = parameter(4, "Голов ключей и значений", low=1, high=10**4)
    head_dim: int = parameter(128, "Размер головы", low=1, high=10**5)
    intermediate: int = parameter(8192, "Ширина MLP", low=1, high=10**7)
    vocab: int = parameter(32000, "Размер словаря", low=1, high=10**8)
    tied: bool = parameter(True, "Выходной слой общий с эмбеддингом")


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """One kind of layer: what LoRA adds to each and to all of them. A layer not taken has ``count`` 0."""

    name: str  # the shortest that means this layer alone: «q_proj», «attn.c_proj»
    kind: str
    inputs: int
    outputs: int
    available: int  # how many such layers the model has
    count: int  # how many are taken
    each: int  # A and B of one layer
    parameters: int  # A and B of all that are taken


@dataclass(frozen=True, slots=True)
class KindRow:
    """Trainable parameters of one kind of layer."""

    kind: str
    title: str
    parameters: int
    share: float  # of all trainable; 0 when nothing is


@dataclass(frozen=True, slots=True)
class Result:
    """What the adapter costs. Bytes are exact for tensors; a file adds a header of some kilobytes."""

    title: str
    rank: int
    trainable: int
    base: int
    total: int  # base and adapter
    share: float  # trainable / total, as PEFT prints it
    matched_modules: int
    scale: float
    adapter_bytes: int  # tensors of the adapter's file
    gradient_bytes: int
    optimizer_bytes: int  # two moments of AdamW
    base_bytes: int  # the frozen base in 16 bits
    by_module: tuple[ModuleRow, ...]
    by_kind: tuple[KindRow, ...]
    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    level: Level
    alarm: str  # Russian; empty when the target names mean what they say
    notes: tuple[str, ...]  # Russian remarks on allowed but odd values
    config_code: str  # Python to copy; needs a loaded ``model``


def count(params: Params) -> Result:
    """Trainable parameters, share and bytes of a LoRA adapter, in closed form.

    Raises:
        ParamsError: sizes that do not make a model, no target names.
    """
    architecture = resolve(params)
    taken = match(architecture, params.targets)
    level, warning = alarm(architecture, taken)
    rows = tuple(_row(architecture, taken, module, params.rank) for module in _listed(architecture, taken))
    added = sum(row.parameters for row in rows) if taken.accepted else 0
    biases = _biases(architecture, taken, params.bias) if taken.accepted else 0
    trainable = added + biases
    state = added * BYTES[params.dtype] + biases * BASE_BYTES  # trained biases belong to the base and keep its type
    return Result(
        title=architecture.title,
        rank=params.rank,
        trainable=trainable,
        base=architecture.base,
        total=architecture.base + added,
        share=trainable / (architecture.base + added),
        matched_modules=sum(row.count for row in rows),
        scale=params.alpha / (math.sqrt(params.rank) if params.rslora else params.rank),
        adapter_bytes=state + _saved_whole(taken) * BASE_BYTES,
        gradient_bytes=state,
        optimizer_bytes=2 * state,  # torch.optim.AdamW keeps both moments in the parameter's own type
        base_bytes=architecture.base * BASE_BYTES,
        by_module=rows,
        by_kind=_kinds(rows, biases),
        matched=taken.found,
        unmatched=(*taken.missing, *taken.refused),
        level=level,
        alarm=warning,
        notes=_notes(params, architecture, taken),
        config_code=_code(params, architecture, taken),
    )


def resolve(params: Params) -> Architecture:
    """The architecture that ``params`` name, or the one whose sizes were typed in.

    Raises:
        ParamsError: the typed sizes do not make a model.
    """
    if params.architecture != CUSTOM:
        return ARCHITECTURES[params.architecture]
    if params.heads % params.kv_heads:
        raise ParamsError(
            f"Голов запросов ({params.heads}) должно делиться на число голов ключей и значений ({params.kv_heads})."
        )
    sizes = Sizes(
        hidden=params.hidden,
        layers=params.layers,
        heads=params.heads,
        kv_heads=params.kv_heads,
        head_dim=params.head_dim,
        intermediate=params.intermediate,
        vocab=params.vocab,
        tied=params.tied,
    )
    if params.family == "gpt2" and (params.kv_heads != params.heads or params.heads * params.head_dim != params.hidden):
        raise ParamsError("В GPT-2 голов ключей столько же, сколько голов запросов, а все головы вместе дают ширину.")
    architecture = build(CUSTOM, "Своя модель", params.family, sizes)
    if architecture.base > LARGEST:
        raise ParamsError(
            f"Такая модель слишком велика: {numbers.integer(architecture.base)} параметров; проверьте размеры."
        )
    return architecture


def _listed(architecture: Architecture, taken: Match) -> tuple[Module, ...]:
    """Every linear layer, taken or not, and whatever else is taken."""
    used = {module.path for module, _ in taken.layers}
    return tuple(module for module in architecture.modules if module in architecture.linear or module.path in used)


def _row(architecture: Architecture, taken: Match, module: Module, rank: int) -> ModuleRow:
    number = next((times for layer, times in taken.layers if layer is module), 0)
    each = rank * (module.inputs + module.outputs)
    available = architecture.times(module.path)
    return ModuleRow(
        architecture.label(module), module.kind, module.inputs, module.outputs, available, number, each, number * each
    )


def _biases(architecture: Architecture, taken: Match, bias: Bias) -> int:
    if bias == "none":
        return 0
    return architecture.biases if bias == "all" else sum(layer.biases * times for layer, times in taken.layers)


def _kinds(rows: tuple[ModuleRow, ...], biases: int) -> tuple[KindRow, ...]:
    """Attention and MLP always, so that a zero is seen; the rest when it is trained."""
    sums = {kind: sum(row.parameters for row in rows if row.kind == kind) for kind in _KINDS}
    sums["bias"] = biases
    whole = sum(sums.values())
    return tuple(
        KindRow(kind, _KINDS[kind], value, value / whole if whole else 0.0)
        for kind, value in sums.items()
        if value or kind in {"attention", "mlp"}
    )


def _saved_whole(taken: Match) -> int:
    """Base weights that PEFT writes into the adapter's file because an embedding is named as a target."""
    if not taken.accepted or not _SAVED_WHOLE & set(taken.targets):
        return 0
    return sum(layer.weights for layer, _ in taken.layers if layer.kind in {"embedding", "head"})


def _notes(params: Params, architecture: Architecture, taken: Match) -> tuple[str, ...]:
    notes = []
    narrow = [architecture.label(layer) for layer, _ in taken.layers if params.rank > min(layer.inputs, layer.outputs)]
    if narrow:
        notes.append(f"Ранг больше размеров слоя: {', '.join(narrow)}. Столько направлений в нём просто нет.")
    elif taken.accepted and any(params.rank * (m.inputs + m.outputs) > m.weights for m, _ in taken.layers):
        notes.append("При таком ранге A и B вместе больше самой матрицы: адаптер дороже полного обновления слоя.")
    if params.alpha == 0:
        notes.append("При α = 0 адаптер ничего не меняет: его вклад умножается на ноль.")
    if _saved_whole(taken):
        notes.append("В файл адаптера PEFT положит и сами веса эмбеддингов: вот почему он такой большой.")
    if architecture.sizes.tied and any(layer.kind in {"embedding", "head"} for layer, _ in taken.layers):
        notes.append("Эмбеддинг и выходной слой делят одну матрицу: слияние такого адаптера изменит оба слоя сразу.")
    if params.bias != "none" and taken.accepted and not _biases(architecture, taken, params.bias):
        notes.append("У этих слоёв нет сдвигов: параметр bias ничего не добавит.")
    return tuple(notes)


def _code(params: Params, architecture: Architecture, taken: Match) -> str:
    names = ", ".join(f'"{name}"' for name in taken.targets)
    lines = [
        f"r={params.rank},",
        f"lora_alpha={params.alpha:g},",
        f"target_modules={names if taken.targets == ('all-linear',) else f'[{names}]'},",
        f'bias="{params.bias}",',
        *(["use_rslora=True,"] if params.rslora else []),
        *(["fan_in_fan_out=True,  # слои GPT-2 хранят W транспонированной"] if architecture.family == "gpt2" else []),
        'task_type="CAUSAL_LM",',
    ]
    keep = "" if params.dtype == "float32" else ", autocast_adapter_dtype=False"
    remark = "  # адаптер останется в типе базы" if keep else ""
    body = "\n".join(f"    {line}" for line in lines)
    return (
        "from peft import LoraConfig, get_peft_model\n\n"
        f"config = LoraConfig(\n{body}\n)\n"
        f"model = get_peft_model(model, config{keep}){remark}\n"
        "model.print_trainable_parameters()\n"
    )
