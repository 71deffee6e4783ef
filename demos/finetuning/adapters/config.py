"""``adapter_config.json`` read with mistrust: known PEFT methods and fields, plain values, no classes or patterns.

What comes out are arguments for PEFT's own config class. Where the file says which base it was trained on, that is not
followed: the base is the course's. Imports no torch. Leaves out the weights (``files``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from demos.finetuning.adapters.container import AdapterError, plain_json, short

WHAT = "adapter_config.json"
LARGEST = 2**18
MOST_RANK = 4096
_NAME = re.compile(r"[A-Za-z0-9_.]{1,200}")
METHODS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "LORA": ("LoraConfig", "LoRA"),
        "ADALORA": ("AdaLoraConfig", "AdaLoRA"),
        "VERA": ("VeraConfig", "VeRA"),
        "IA3": ("IA3Config", "IA³"),
        "PROMPT_TUNING": ("PromptTuningConfig", "Prompt tuning"),
        "PREFIX_TUNING": ("PrefixTuningConfig", "Prefix tuning"),
        "P_TUNING": ("PromptEncoderConfig", "P-tuning"),
    }
)
"""PEFT's name of a method: its config class and the name for a learner."""
VIRTUAL = frozenset(("PROMPT_TUNING", "PREFIX_TUNING", "P_TUNING"))
_TOLD = frozenset(
    (  # noqa: SIM905 - thirty quotes would hide the words
        "peft_type task_type peft_version inference_mode base_model_name_or_path revision megatron_core "
        "qalora_group_size lora_dropout vera_dropout encoder_dropout layers_pattern encoder_reparameterization_type "
        "prompt_tuning_init total_step tinit tfinal deltaT beta1 beta2 orth_reg_weight token_dim "
        "num_transformer_submodules num_attention_heads num_layers save_projection init_weights init_ia3_weights "
        "d_initial target_r encoder_hidden_size encoder_num_layers"
    ).split()
)
"""Fields that say how it was trained or repeat what the base says; an answer does not depend on them."""


@dataclass(frozen=True, slots=True)
class Config:
    """What an adapter is, as far as it is needed to load it."""

    peft_type: str
    rank: int  # 0 for methods without one
    alpha: float
    targets: tuple[str, ...]
    fields: Mapping[str, Any]  # for the config class

    @property
    def title(self) -> str:
        """The method's name for a learner: «DoRA», «LoRA»."""
        for name, title in (("use_dora", "DoRA"), ("use_rslora", "rsLoRA")):
            if self.fields.get(name):
                return title
        return "PiSSA" if self.pissa else METHODS[self.peft_type][1]

    @property
    def pissa(self) -> bool:
        """Whether the base's own main directions were moved into the adapter."""
        return self.fields.get("init_lora_weights") == "pissa"

    @property
    def plain_lora(self) -> bool:
        """Whether it is W + s·B A and nothing else: then it can be blended and share a batch."""
        return self.peft_type == "LORA" and not self.fields.get("use_dora")

    @property
    def scale(self) -> float:
        """What B A is multiplied by: α/r, or α/√r for rsLoRA; 0 for methods without it."""
        if self.peft_type != "LORA":
            return 0.0
        return self.alpha / (math.sqrt(self.rank) if self.fields.get("use_rslora") else self.rank)


def read(content: bytes) -> Config:
    """The config of an adapter.

    Raises:
        AdapterError: it is not JSON, of an unknown method, or asks for something that is not done here.
    """
    if len(content) > LARGEST:
        raise AdapterError(f"{WHAT} больше {LARGEST >> 10} КиБ: настоящий занимает около килобайта.")
    data = plain_json(content, WHAT)
    method = data.get("peft_type")
    if not isinstance(method, str) or method not in METHODS:
        known = ", ".join(title for _, title in METHODS.values())
        raise AdapterError(f"{WHAT}: метод «{short(method)}» здесь не открыть. Открываются {known}.")
    checks = _CHECKS[method]
    missing = [name for name in _NEEDED[method] if name not in data]
    if missing:
        raise AdapterError(f"{WHAT}: нет поля «{missing[0]}» — файл не от этого метода или повреждён.")
    fields = {}
    for name, value in data.items():
        if name in checks:
            fields[name] = checks[name](name, value)
        elif name not in _TOLD and not _empty(value) and _USUAL.get(name) != value:
            raise AdapterError(
                f"{WHAT}: поле «{short(name)}» со значением «{short(value)}» здесь не поддерживается — "
                "такой адаптер откройте в своей программе."
            )
    return _config(method, {name: value for name, value in fields.items() if value is not None})


def _config(method: str, fields: dict[str, Any]) -> Config:
    targets = tuple(fields.get("target_modules", ()))
    if method == "IA3" and not set(fields.get("feedforward_modules", ())) <= set(targets):
        raise AdapterError(f"{WHAT}: в feedforward_modules есть слои, которых нет в target_modules.")
    rank = fields.get("init_r", 0) if method == "ADALORA" else fields.get("r", 0)
    alpha = float(fields.get("lora_alpha", 8)) if method in ("LORA", "ADALORA") else 0.0
    return Config(method, rank, alpha, targets, MappingProxyType({**fields, "task_type": "CAUSAL_LM"}))


def _empty(value: object) -> bool:
    return value is None or value is False or value in ([], {}, "")


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise AdapterError(f"{WHAT}: поле «{name}» — нужно целое от {low} до {high}, а там «{short(value)}».")
        return value

    return check


def _alpha(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value <= 65536:
        raise AdapterError(f"{WHAT}: поле «{name}» — нужно число больше 0 и не больше 65 536, а там «{short(value)}».")
    return float(value)


def _flag(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise AdapterError(f"{WHAT}: поле «{name}» — нужно true или false, а там «{short(value)}».")
    return value


def _names(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        raise AdapterError(f"{WHAT}: поле «{name}» — нужен список имён слоёв, а там строка-шаблон «{short(value)}».")
    if (
        not isinstance(value, list)
        or len(value) > 200
        or not all(type(one) is str and _NAME.fullmatch(one) for one in value)
    ):
        raise AdapterError(f"{WHAT}: поле «{name}» — нужен список имён слоёв из латинских букв, цифр, точек и «_».")
    return sorted(set(value))


def _start(_name: str, value: Any) -> Any:
    """How A and B began. Only PiSSA still matters when the adapter is loaded: it moved a part of the base."""
    if value == "pissa":
        return value
    if value in (True, False, None, "gaussian"):
        return True
    raise AdapterError(f"{WHAT}: начало «{short(value)}» меняет саму базу при загрузке — здесь такое не открыть.")


def _by_layer(one: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict) or len(value) > 200 or not all(_NAME.fullmatch(key) for key in value):
            raise AdapterError(f"{WHAT}: поле «{name}» — нужны имена слоёв и числа.")
        return {key: one(name, item) for key, item in value.items()}

    return check


def _kept(name: str, value: Any) -> list[bool]:
    if not isinstance(value, list) or len(value) > MOST_RANK or not all(type(one) is bool for one in value):
        raise AdapterError(f"{WHAT}: поле «{name}» — нужны списки из true и false.")
    return value


_RANK, _TOKENS = _whole(1, MOST_RANK), _whole(1, 256)
_LORA: Mapping[str, Callable[[str, Any], Any]] = {
    "r": _RANK,
    "lora_alpha": _alpha,
    "target_modules": _names,
    "use_rslora": _flag,
    "use_dora": _flag,
    "init_lora_weights": _start,
    "rank_pattern": _by_layer(_RANK),
    "alpha_pattern": _by_layer(_alpha),
}
_CHECKS: Mapping[str, Mapping[str, Callable[[str, Any], Any]]] = {
    "LORA": _LORA,
    "ADALORA": {
        "init_r": _RANK,
        "lora_alpha": _alpha,
        "target_modules": _names,
        "rank_pattern": _by_layer(_kept),
    },
    "VERA": {"r": _RANK, "target_modules": _names, "projection_prng_key": _whole(0, 2**31 - 1)},
    "IA3": {"target_modules": _names, "feedforward_modules": _names},
    "PROMPT_TUNING": {"num_virtual_tokens": _TOKENS},
    "PREFIX_TUNING": {"num_virtual_tokens": _TOKENS},
    "P_TUNING": {"num_virtual_tokens": _TOKENS},
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "LORA": ("r", "target_modules"),
    "ADALORA": ("init_r", "target_modules"),
    "VERA": ("r", "target_modules"),
    "IA3": ("target_modules",),
    **dict.fromkeys(VIRTUAL, ("num_virtual_tokens",)),
}
_USUAL: Mapping[str, Any] = {
    "bias": "none",
    "r": 8,  # AdaLoRA repeats LoRA's field and does not use it
    "init_lora_weights": True,
}
"""Values that change nothing where the field is not asked for."""
