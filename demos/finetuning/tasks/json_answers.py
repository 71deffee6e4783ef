"""Answers in JSON: a new format for a skill that the base has. Also the same with ten examples only, to overfit.

Leaves out other formats (``tools`` teaches calls).
"""

from __future__ import annotations

import dataclasses
import json
from random import Random

from demos.finetuning import grammar
from demos.finetuning.grammar import Split
from demos.finetuning.tasks.data import Chat, Data, Task, chat, gather

FEW = 10
ASK = "переведи в JSON: "


def answer(drawn: grammar.Sentence) -> str:
    """The right answer about a sentence."""
    return json.dumps({"en": drawn.en, "who": drawn.subject.ru}, ensure_ascii=False)


def draw(random: Random, split: Split) -> tuple[str, Chat]:
    """One example of the task."""
    drawn = grammar.sentence(random, split)
    return drawn.ru, chat(f"{ASK}{drawn.ru}", answer(drawn))


def _make(seed: int) -> Data:
    return gather("json", draw, seed)


def _make_few(seed: int) -> Data:
    whole = _make(seed)
    return dataclasses.replace(whole, train=whole.train[:FEW])


TASKS = (
    Task(
        "json",
        "Ответы в JSON",
        "База умеет переводить и находить, о ком говорится в предложении, но отвечает простым текстом. Тысяча примеров "
        "учит её писать и то и другое одной строкой JSON: с ключами «en» и «who».",
        "До обучения верных ответов почти нет: перевод правильный, но формат не тот. После — больше 90 %, и прежние "
        "умения при этом могут слегка просесть.",
        _make,
    ),
    Task(
        "overfit",
        "Десять примеров: переобучение",
        "Те же ответы в JSON, но обучающих примеров всего десять, а проверочных — сто. Модель быстро заучит десять "
        "предложений вместо правила.",
        "Потери на обучении падают почти до нуля, а на проверке после минимума растут: здесь обучение пора было "
        "остановить.",
        _make_few,
    ),
)
