"""From a spec to PEFT's own config: what is trained by each method, and what a model cannot be asked.

Leaves out training itself (``training``) and the one method that is ours (``bottleneck``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from common import numbers
from demos.finetuning import bottleneck
from demos.finetuning.spec import LOW_RANK, VIRTUAL, WITH_TARGETS, RunSpec
from demos.params import ParamsError, nearest

ALL_LINEAR = "all-linear"
LINEAR = ("Linear", "Linear4bit", "Linear8bitLt", "Conv1D")
HEADS = ("lm_head", "embed_out")
ADALORA_START = 1.5
"""AdaLoRA begins with a rank this many times the one it is asked for and prunes."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a list of target names takes in a model."""

    found: tuple[str, ...]  # full names of the layers
    warning: str  # empty when every name was found in every block


def targets(spec: RunSpec, model: Any) -> Targets:
    """Check the target names and the rank against the model at hand.

    Raises:
        ParamsError: nothing is taken, the output head is, or the rank is above a matrix.
    """
    layers = dict(_linear(model))
    body = {name: layer for name, layer in layers.items() if name.rpartition(".")[2] not in HEADS}
    names = spec.targets
    if names == (ALL_LINEAR,):
        found, warning = dict(body), ""
    else:
        found = {name: layer for name, layer in layers.items() if any(_takes(wanted, name) for wanted in names)}
        warning = _partial(names, found, layers)
    if not found:
        short = tuple(dict.fromkeys(name.rpartition(".")[2] for name in body))
        raise ParamsError(
            f"Целевые слои: в модели нет слоёв с именами {', '.join(names)}{nearest(names[0], short)}. "
            f"Слои этой модели: {', '.join(short)}."
        )
    if not found.keys() <= body.keys():
        raise ParamsError("Целевые слои: выходной слой lm_head так обучать нельзя — уберите его имя из списка.")
    if spec.method in LOW_RANK:
        _check_rank(spec, found)
    return Targets(tuple(found), warning)


def peft_config(spec: RunSpec, model: Any) -> Any:
    """The PEFT config of a spec; None for full tuning, for our own inserts and for the control."""
    import peft

    name, values = configured(spec)
    if not name:
        return None
    if spec.method == "ptuning":
        values["encoder_hidden_size"] = model.config.get_text_config().hidden_size
    if spec.method == "ia3":
        values |= _ia3(spec, model)
    return getattr(peft, name)(**values)


def configured(spec: RunSpec) -> tuple[str, dict[str, Any]]:
    """The name of PEFT's config class and its arguments, as ``recipe`` prints them; empty without PEFT."""
    names = ALL_LINEAR if spec.targets == (ALL_LINEAR,) else list(spec.targets)
    task = {"task_type": "CAUSAL_LM"}
    adapter = {"r": spec.rank, "lora_alpha": spec.alpha, "lora_dropout": spec.dropout, "target_modules": names, **task}
    tokens = {"num_virtual_tokens": spec.virtual_tokens, **task}
    known: Mapping[str, tuple[str, dict[str, Any]]] = {
        "lora": ("LoraConfig", adapter),
        "dora": ("LoraConfig", {**adapter, "use_dora": True}),
        "rslora": ("LoraConfig", {**adapter, "use_rslora": True}),
        "pissa": ("LoraConfig", {**adapter, "init_lora_weights": "pissa"}),
        "adalora": ("AdaLoraConfig", _adalora(spec, adapter)),
        "vera": ("VeraConfig", {"r": spec.rank, "vera_dropout": spec.dropout, "target_modules": names, **task}),
        "ia3": ("IA3Config", dict(task)),
        "prompt": ("PromptTuningConfig", tokens),
        "prefix": ("PrefixTuningConfig", tokens),
        "ptuning": ("PromptEncoderConfig", tokens),
    }
    return known.get(spec.method, ("", {}))


def ia3_places(targets: Iterable[str]) -> dict[str, Any]:
    """IA³'s arguments for named layers: those inside an MLP are scaled before them, the others after."""
    names = list(dict.fromkeys(name.rpartition(".")[2] for name in targets))
    inside = [name for name in names if name in ("down_proj", "fc2", "c_proj", "dense_4h_to_h")]
    return {"target_modules": names, "feedforward_modules": inside}


def off(spec: RunSpec, model: Any) -> AbstractContextManager[None]:
    """The model with its adapter switched off; as it is where there is no switch."""
    if spec.method == "bottleneck":
        return bottleneck.off(model)
    if spec.method in ("full", "none"):
        return nullcontext()
    switch: AbstractContextManager[None] = model.disable_adapter()
    return switch


def starts_as_base(spec: RunSpec) -> bool:
    """Whether an untrained adapter changes nothing: true unless virtual tokens stand in front."""
    return spec.method not in VIRTUAL


def count(model: Any) -> int:
    """Parameters as PEFT counts them: a packed 4-bit byte is two."""
    total = 0
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        total += state.shape.numel() if state is not None else parameter.numel()
    return total


def adapted(spec: RunSpec, model: Any) -> tuple[Targets, tuple[str, ...]]:
    """Checked targets and one name of each kind of layer that the method changes."""
    if spec.method in WITH_TARGETS:
        taken = targets(spec, model)
        return taken, tuple(dict.fromkeys(name.rpartition(".")[2] for name in taken.found))
    if spec.method == "bottleneck":
        return Targets((), ""), bottleneck.places(model)
    shown = {"full": ("все слои",), "none": ()}
    return Targets((), ""), shown.get(spec.method, ("виртуальные токены",))


def _adalora(spec: RunSpec, adapter: Mapping[str, Any]) -> dict[str, Any]:
    """Ranks are pruned between a tenth and six tenths of the run."""
    return {
        **{name: value for name, value in adapter.items() if name != "r"},
        "init_r": max(spec.rank + 1, round(ADALORA_START * spec.rank)),
        "target_r": spec.rank,
        "total_step": spec.steps,
        "tinit": spec.steps // 10,
        "tfinal": spec.steps * 4 // 10,
        "deltaT": 1,
    }


def _ia3(spec: RunSpec, model: Any) -> dict[str, Any]:
    """The paper's places (keys, values, inside the MLP) unless the learner names others."""
    from peft.utils import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as PAPER

    if spec.targets == (ALL_LINEAR,) and model.config.model_type in PAPER:
        return {}
    return ia3_places(targets(spec, model).found)


def _check_rank(spec: RunSpec, found: Mapping[str, Any]) -> None:
    name, layer = min(found.items(), key=lambda item: min(item[1].weight_shape))
    least = min(layer.weight_shape)
    asked = max(spec.rank + 1, round(ADALORA_START * spec.rank)) if spec.method == "adalora" else spec.rank
    if spec.method != "vera" and asked > least:
        rows, columns = layer.weight_shape
        begins = f" (AdaLoRA начинает с ранга {asked})" if spec.method == "adalora" else ""
        raise ParamsError(
            f"Ранг r = {spec.rank} больше матрицы{begins}: слой {name.rpartition('.')[2]} — "
            f"{numbers.integer(rows)} × {numbers.integer(columns)}, ранг в нём не выше {least}. Уменьшите ранг."
        )


@dataclass(frozen=True, slots=True)
class _Layer:
    weight_shape: tuple[int, int]  # outputs, inputs


def _linear(model: Any) -> Iterator[tuple[str, _Layer]]:
    for name, module in model.named_modules():
        if type(module).__name__ in LINEAR:
            outputs = getattr(module, "out_features", None) or module.nf
            inputs = getattr(module, "in_features", None) or module.nx
            yield name, _Layer((int(outputs), int(inputs)))


def _takes(wanted: str, name: str) -> bool:
    """PEFT's rule: the full name or its end after a dot."""
    return name == wanted or name.endswith(f".{wanted}")


def _partial(names: tuple[str, ...], found: Iterable[str], layers: Iterable[str]) -> str:
    missing = tuple(wanted for wanted in names if not any(_takes(wanted, name) for name in found))
    if missing:
        return (
            f"Из имён {', '.join(names)} в этой модели нет {', '.join(missing)}: PEFT об этом промолчит, "
            "и обучится лишь часть слоёв."
        )
    taken, kinds = set(found), {_kind(name) for name in found}
    left = [name for name in layers if _kind(name) in kinds and name not in taken]
    if not left:
        return ""
    return (
        f"Названные имена берут {numbers.plural(len(taken), 'слой', 'слоя', 'слоёв')} "
        f"из {len(taken) + len(left)} таких же: остальные останутся без адаптера."
    )


def _kind(name: str) -> str:
    return re.sub(r"\d+", "*", name)
