"""Views of time: a profiled step, torch.compile, transfers, ZeRO, tools."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from charts import devices, timing
from common import numbers
from demos.timing import compiled, step, tools, transfer, zero
from ui.demos.frame import Look, Prediction

GROUP = "Где время"


def _phases(result: step.Result) -> int:
    forward, backward, optimizer = result.phases
    return max(range(3), key=lambda place: (forward, backward, optimizer)[place])


def _gain(result: compiled.Result) -> int:
    best = max(way.speedup for way in result.ways)
    return 0 if best < 1.05 else 1 if best < 1.5 else 2


def _tell_gain(result: compiled.Result) -> str:
    ways = [way for way in result.ways if not way.failed and way.backend != "eager"]
    return "; ".join(f"{way.title}: в {numbers.decimal(way.speedup)} раза" for way in ways) + "."


def _share(result: transfer.Result) -> int:
    seconds = result.rows[1].seconds
    return 0 if seconds < 0.1 else 1 if seconds < 1 else 2


def _third(result: zero.Result) -> int:
    return 0 if result.stages[3].total > 10e9 else 1 if result.stages[3].total > 4e9 else 2


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _cards(_params: tools.Params, result: tools.Result, _: str) -> None:
    """One tool under another: six columns of a table fit no page, a phone's least of all."""
    group = ""
    for tool in result.tools:
        heading = "Сначала измерить" if tool.measures else _upper(tools.BOTTLENECKS[tool.bottleneck])
        if heading != group:
            st.markdown(f"**{heading}**")
            group = heading
        with st.container(border=True):
            name = f"`{tool.name}`" if tool.name.startswith("torch.") else f"**{tool.name}**"
            st.markdown(f"{name}: {tool.gives}. Учтите: {tool.costs}.")
            st.code(tool.how, language="python", wrap_lines=True)


LOOKS: Mapping[str, Look] = {
    "timing.step": Look(
        "Профиль шага",
        GROUP,
        "Настоящий шаг обучения под torch.profiler: какие операторы и когда занимают время.",
        timing.step,
        Prediction(
            "Полное дообучение модели курса, четыре примера по 32 токена. Что займёт больше всего времени шага?",
            ("прямой проход", "обратный проход", "шаг оптимизатора"),
            _phases,
            lambda result: f"Обратный проход — {numbers.percent(result.phases[1] / result.total, 0)} шага.",
        ),
    ),
    "timing.compiled": Look(
        "torch.compile",
        GROUP,
        "Шаг до и после torch.compile и через сколько шагов компиляция окупится.",
        timing.compiled,
        Prediction(
            "Модель курса на процессоре, 8 примеров по 64 токена. Во сколько раз torch.compile ускорит шаг?",
            ("почти не ускорит", "в 1,05–1,5 раза", "больше чем в 1,5 раза"),
            _gain,
            _tell_gain,
        ),
    ),
    "timing.transfer": Look(
        "CPU ↔ GPU",
        GROUP,
        "Сколько едут по PCIe веса, моменты и адаптер.",
        devices.transfer,
        Prediction(
            "Веса Mistral-7B в 16 битах едут с процессора на видеокарту по PCIe 4.0 ×16. Сколько это займёт?",
            ("меньше 0,1 с", "от 0,1 до 1 с", "больше секунды"),
            _share,
            lambda result: (
                f"{numbers.size(result.bytes)} — {numbers.decimal(result.rows[1].seconds)} с. "
                "Один раз это мало, на каждом шаге — много."
            ),
        ),
    ),
    "timing.zero": Look(
        "Стадии ZeRO",
        GROUP,
        "Память одной карты, когда модель учат несколько.",
        devices.zero,
        Prediction(
            "Модель в 7,5 млрд параметров на 64 картах: без ZeRO каждой нужно 120 ГБ. Сколько нужно на стадии 3?",
            ("больше 10 ГБ", "от 4 до 10 ГБ", "меньше 4 ГБ"),
            _third,
            lambda result: f"{numbers.size(result.stages[3].total)}: делится всё, но и пересылать приходится больше.",
        ),
    ),
    "timing.tools": Look(
        "Какой инструмент",
        GROUP,
        "Узкое место — инструмент: что даёт, как включить, чем платим.",
        devices.tools,
        below=_cards,
    ),
}
"""How each demo of time is shown."""
