"""What a run is asked to do: ``RunSpec``, plain, checked, the same in a form, an address, a lesson and the database.

Imports no torch: pages and the queue use it. Leaves out what can be known only with the model at hand (target names,
ranks above a matrix): ``run`` says that before the first step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from demos.params import Checked, ParamsError, describe, parameter, read

Method = Literal[
    "full",
    "lora",
    "dora",
    "rslora",
    "pissa",
    "vera",
    "ia3",
    "adalora",
    "prompt",
    "prefix",
    "ptuning",
    "bottleneck",
    "none",
]
Quantization = Literal["none", "nf4", "fp4", "int8"]
Schedule = Literal["linear", "cosine", "constant", "constant_with_warmup"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]

COURSE_BASE = "course"
"""The bundled model; anything else is a folder under COURSE_MODELS_DIR or a model id of a hub."""
VERSION = 1
METHODS: Mapping[str, str] = {
    "full": "Полное дообучение",
    "lora": "LoRA",
    "dora": "DoRA",
    "rslora": "rsLoRA",
    "pissa": "PiSSA",
    "vera": "VeRA",
    "ia3": "IA³",
    "adalora": "AdaLoRA",
    "prompt": "Prompt tuning",
    "prefix": "Prefix tuning",
    "ptuning": "P-tuning",
    "bottleneck": "Адаптеры-вставки (bottleneck)",
    "none": "Контроль без обучения",
}
"""Every method and its name for a learner."""
LOW_RANK: frozenset[Method] = frozenset(("lora", "dora", "rslora", "pissa", "adalora", "vera"))
"""Methods with a rank."""
WITH_TARGETS: frozenset[Method] = LOW_RANK | {"ia3"}
VIRTUAL: frozenset[Method] = frozenset(("prompt", "prefix", "ptuning"))
"""Methods whose parameters are virtual tokens."""
QUANTIZATIONS: Mapping[str, str] = {"none": "без квантования", "nf4": "NF4", "fp4": "FP4", "int8": "INT8"}


@dataclass(frozen=True, slots=True)
class RunSpec(Checked):
    """Everything that decides a run's result. Defaults are the lesson's run: QLoRA on JSON answers."""

    task: str = parameter("json", "Задача", note="одна из задач курса или свои данные")
    method: Method = parameter("lora", "Метод", choices=tuple(METHODS))
    base: str = parameter(COURSE_BASE, "Базовая модель")
    quantization: Quantization = parameter("nf4", "Квантование базы", choices=tuple(QUANTIZATIONS))
    double_quantization: bool = parameter(True, "Двойное квантование")
    dtype: Dtype = parameter("auto", "Тип вычислений", choices=("auto", "float32", "bfloat16", "float16"))
    rank: int = parameter(16, "Ранг r", low=1, high=4096)
    alpha: float = parameter(32, "Альфа (lora_alpha)", low=0.01, high=65536)
    dropout: float = parameter(0.0, "Dropout", low=0, high=0.9)
    targets: tuple[str, ...] = parameter(("all-linear",), "Целевые слои", note="имена через запятую или all-linear")
    virtual_tokens: int = parameter(20, "Виртуальных токенов", low=1, high=256)
    bottleneck: int = parameter(32, "Ширина вставки", low=1, high=4096)
    learning_rate: float = parameter(5e-3, "Скорость обучения", low=1e-7, high=10)
    steps: int = parameter(160, "Шагов", low=1, high=2000)
    batch: int = parameter(16, "Примеров в шаге", low=1, high=128)
    accumulation: int = parameter(1, "Накопление градиентов", low=1, high=64)
    schedule: Schedule = parameter(
        "linear", "Расписание", choices=("linear", "cosine", "constant", "constant_with_warmup")
    )
    warmup: float = parameter(0.05, "Доля разогрева", low=0, high=0.9)
    weight_decay: float = parameter(0.0, "Weight decay", low=0, high=10)
    packing: bool = parameter(False, "Упаковка примеров (packing)")
    checkpointing: bool = parameter(False, "Чекпоинтинг активаций")
    patience: int = parameter(0, "Ранняя остановка, проверок без улучшения", low=0, high=100, note="0 — не нужна")
    evaluate_every: int = parameter(40, "Проверка каждые столько шагов", low=1, high=2000)
    examples: int = parameter(0, "Обучающих примеров", low=0, high=100_000, note="0 — все")
    replay: float = parameter(0.0, "Доля старых умений в данных", low=0, high=0.9)
    held_out: int = parameter(200, "Отложенных примеров для проверки", low=4, high=500)
    seed: int = parameter(0, "Зерно", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.method == "full" and self.quantization != "none":
            raise ParamsError(
                "Квантованную базу нельзя дообучать целиком: её веса хранятся номерами уровней. "
                "Выберите LoRA или снимите квантование."
            )
        if self.method == "pissa" and self.quantization != "none":
            raise ParamsError("PiSSA раскладывает исходные веса: снимите квантование базы или выберите LoRA.")
        if self.method == "prefix" and self.checkpointing:
            raise ParamsError("Prefix tuning не работает с чекпоинтингом активаций: снимите его.")
        if not self.targets:
            raise ParamsError("Целевые слои: назовите хотя бы один слой или all-linear.")

    @property
    def title(self) -> str:
        """What the run is called: «QLoRA, r = 16», «LoRA на INT8-базе, r = 8», «Полное дообучение»."""
        name = METHODS[self.method]
        if self.method == "none":
            return f"Без обучения, база {QUANTIZATIONS[self.quantization]}" if self.quantization != "none" else name
        if self.quantization in ("nf4", "fp4"):
            name = f"Q{name}" if self.method == "lora" else f"{name} на 4-битной базе"
            name += "" if self.quantization == "nf4" else " (FP4)"
        elif self.quantization == "int8":
            name = f"{name} на INT8-базе"
        return f"{name}, r = {self.rank}" if self.method in LOW_RANK else name

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, versioned; 32 and 32.0 of a field for fractions are written alike."""
        plain = {item.name: getattr(self, item.name) for item in describe(RunSpec)}
        fractions = {item.name: float(plain[item.name]) for item in describe(RunSpec) if item.type is float}
        return {"version": VERSION, **plain, **fractions, "targets": list(self.targets)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSpec:
        """The spec that ``to_json`` wrote.

        Raises:
            ParamsError: another version, an unknown field, a value outside its limits.
        """
        fields = dict(data)
        if fields.pop("version", None) != VERSION:
            raise ParamsError("Этот рецепт записан другой версией курса: соберите его заново.")
        return read(cls, fields)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that two specs share when they ask for the same: the key of a recorded run."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


THREE_CURVES: Mapping[str, RunSpec] = {
    "full": RunSpec(method="full", quantization="none", learning_rate=1e-3),
    "lora": RunSpec(method="lora", quantization="none"),
    "qlora": RunSpec(method="lora", quantization="nf4"),
}
"""The three runs of the lesson: one base, one data set, one seed; each at its own best learning rate."""
