"""Views of memory: a step of training, answering, «влезет?», common claims, and the points where it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import memory
from common import numbers
from demos.lora.models import ARCHITECTURES, expand, presets
from demos.memory import claims as claims_demo
from demos.memory import inference, points, training
from demos.params import Field
from ui import session
from ui.demos.form import choice, field, slider, widget
from ui.demos.frame import Look, Prediction, grid

GROUP = "Память и стоимость"
LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
RANKS = (4, 8, 16, 32, 64, 128, 256)
REST = ("double_quantization", "dtype", "precision", "padding", "whole_logits", "device")


def _training(known: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """Model and method first, then what a hand wants to drag, the rest unfolds."""
    values: dict[str, Any] = {"architecture": _model(known["architecture"], locked, key)}
    with st.container(horizontal=True):
        values["method"] = choice(known["method"], key, locked="method" in locked)
        full = values["method"] == "full"
        values["quantization"] = (
            session.recall(widget(key, "quantization"), "nf4")
            if full
            else choice(known["quantization"], key, locked="quantization" in locked)
        )
    with st.grid(2, min_column_width=180):
        for name, steps in (("batch", BATCHES), ("length", LENGTHS)):
            values[name] = slider(known[name], key, steps, locked=name in locked)
    with st.container(horizontal=True):
        values["checkpointing"] = field(known["checkpointing"], key, locked="checkpointing" in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"):
        if not full:
            values |= _adapter(known, values["architecture"], locked, key)
        values |= grid(known, ["optimizer", "attention", *REST], locked, key)
    return values


def _adapter(known: Mapping[str, Field], architecture: str, locked: frozenset[str], key: str) -> dict[str, Any]:
    rank = slider(known["rank"], key, RANKS, locked="rank" in locked)
    return {"rank": rank, "targets": _targets(known["targets"], architecture, locked, key)}


def _model(item: Field, locked: frozenset[str], key: str) -> str:
    chosen: str = st.selectbox(
        item.title,
        list(ARCHITECTURES),
        key=widget(key, item.name),
        disabled=item.name in locked,
        format_func=lambda name: ARCHITECTURES[name].title,
    )
    return chosen


def _targets(item: Field, architecture: str, locked: frozenset[str], key: str) -> tuple[str, ...]:
    """A named set of layers of this model; names from a link stay as they are."""
    sets = {preset.id: preset for preset in presets(ARCHITECTURES[architecture]) if not preset.trap}
    place = widget(key, item.name)
    stored: Any = session.recall(place, list(item.default))
    if isinstance(stored, list):
        stored = stored[0] if len(stored) == 1 else ",".join(stored)
    offered = list(sets) if stored in sets or "," not in stored else [*sets, stored]
    session.remember(place, stored if stored in offered else "all-linear")
    chosen: Any = st.selectbox(
        item.title,
        offered,
        key=place,
        disabled=item.name in locked,
        format_func=lambda name: sets[name].title if name in sets else name,
    )
    return tuple(str(chosen).split(","))


def _inference(known: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {"architecture": _model(known["architecture"], locked, key)}
    values["quantization"] = choice(known["quantization"], key, locked="quantization" in locked)
    with st.grid(2, min_column_width=180):
        for name, steps in (("batch", BATCHES), ("prompt", LENGTHS)):
            values[name] = slider(known[name], key, steps, locked=name in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"):
        names = ["answer", "cache", "attention", "dtype", "double_quantization", "adapters", "device"]
        values |= grid(known, names, locked, key)
        if values["adapters"]:
            values |= _adapter(known, values["architecture"], locked, key)
    return values


def _code(params: training.Params) -> str:
    """What is trained, counted by peft on the meta device: any size, no weights."""
    lines = [
        "import torch",
        "from demos.lora import meta",
        "from demos.lora.models import ARCHITECTURES",
        "",
        f'model = meta.model(ARCHITECTURES["{params.architecture}"])  # transformers, без самих чисел',
    ]
    if params.method != "full":
        names = '"all-linear"' if params.targets == ("all-linear",) else _names(params)
        dora = ", use_dora=True" if params.method == "dora" else ""
        lines[1:1] = ["from peft import LoraConfig, get_peft_model"]
        lines += [
            f'config = LoraConfig(r={params.rank}, target_modules={names}{dora}, task_type="CAUSAL_LM")',
            'with torch.device("meta"):',
            "    model = get_peft_model(model, config)",
        ]
    return "\n".join([*lines, "trained = sum(p.numel() for p in model.parameters() if p.requires_grad)", "trained"])


def _names(params: training.Params) -> str:
    return repr(list(expand(ARCHITECTURES[params.architecture], params.targets)))


def _largest(result: training.Result) -> int:
    parts = (result.weights, result.adapter + result.gradients + result.optimizer, result.activations)
    return parts.index(max(parts))


def _tell_largest(result: training.Result) -> str:
    return (
        f"Веса {numbers.size(result.weights)}, всё обучаемое с моментами "
        f"{numbers.size(result.adapter + result.gradients + result.optimizer)}, "
        f"активации {numbers.size(result.activations)}."
    )


def _cache_share(result: inference.Result) -> int:
    share = result.cache / (result.weights + result.constants)
    return 0 if share < 0.1 else 1 if share < 0.5 else 2


def _wrong(result: claims_demo.Result) -> int:
    right = sum(claim.verdict == "верно" for claim in result.claims)
    return 0 if right > 14 else 1 if right > 7 else 2


def _off(result: points.Result) -> int:
    worst = max(abs(row.difference) for row in result.rows)
    return 0 if worst < 0.005 else 1 if worst < 0.1 else 2


LOOKS: Mapping[str, Look] = {
    "memory.training": Look(
        "Память обучения",
        GROUP,
        "Из чего складывается память одного шага и на какую видеокарту он влезет.",
        memory.training,
        Prediction(
            "QLoRA на Mistral-7B: четыре примера по 512 токенов, адаптеры во всех линейных слоях, без чекпоинтинга. "
            "Что займёт больше всего памяти?",
            ("веса базы", "адаптер, градиенты и моменты", "активации"),
            _largest,
            _tell_largest,
        ),
        _training,
        _code,
    ),
    "memory.inference": Look(
        "Память ответа",
        GROUP,
        "Веса, KV-кэш и активации, когда модель отвечает.",
        memory.inference,
        Prediction(
            "Llama-3.1-8B в BF16 отвечает на один запрос: 2048 токенов вопроса и 512 ответа. Сколько займёт KV-кэш?",
            ("меньше десятой части весов", "от десятой части до половины", "больше половины"),
            _cache_share,
            lambda result: (
                f"KV-кэш — {numbers.size(result.cache)}, веса — {numbers.size(result.weights)}. "
                "Кэш растёт с длиной и с числом запросов, веса — нет."
            ),
        ),
        _inference,
    ),
    "memory.fits": Look(
        "Влезет?",
        GROUP,
        "Столько-то гигабайт — на каких устройствах они поместятся.",
        memory.where,
    ),
    "memory.claims": Look(
        "Память: что говорят",
        GROUP,
        "Ходячие утверждения о памяти рядом с тем, что выходит на самом деле.",
        memory.claims,
        Prediction(
            "Мы собрали 21 ходячее утверждение о памяти. Сколько из них верны без оговорок?",
            ("больше 14", "от 8 до 14", "7 или меньше"),
            _wrong,
            lambda result: f"Верны {sum(claim.verdict == 'верно' for claim in result.claims)}.",
        ),
    ),
    "memory.point": Look(
        "Память: сверка",
        GROUP,
        "Маленькая модель делает шаг, и мы считаем её тензоры: сходится ли калькулятор.",
        memory.point,
        Prediction(
            "Калькулятор оценил шаг QLoRA по формулам. Насколько разойдётся с подсчётом настоящих тензоров?",
            ("меньше 0,5 %", "от 0,5 до 10 %", "больше 10 %"),
            _off,
            lambda result: f"Наибольшее расхождение — {numbers.percent(max(abs(r.difference) for r in result.rows))}.",
        ),
    ),
}
"""How each demo of memory is shown."""
