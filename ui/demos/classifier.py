"""The classifier to be touched: a threshold dragged over recorded answers, and kinds of classifier against each other.

Leaves out drawing (``charts.classifier``, ``charts.classifiers``) and computing (``demos.classifier``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import classifier, classifiers
from common import numbers
from demos.classifier import compare, recorded
from demos.classifier.threshold import Result
from demos.classifier.training import METHODS
from demos.params import Field
from ui.demos import form
from ui.demos.frame import Look, Prediction
from ui.demos.live import state

GROUP = "Классификатор"
THRESHOLDS = (*(step / 20 for step in range(20)), 0.97, 0.99, 0.999, 1)
KINDS = tuple(METHODS)
FEW, MOST = 0.5, 0.8


def _threshold(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {"method": form.field(fields["method"], key, locked="method" in locked)}
    values["examples"] = form.choice(fields["examples"], key, locked="examples" in locked)
    values["rule"] = form.choice(fields["rule"], key, locked="rule" in locked)
    if values["rule"] == "class":
        values["watched"] = form.choice(fields["watched"], key, locked="watched" in locked)
    values["threshold"] = form.slider(fields["threshold"], key, THRESHOLDS, locked="threshold" in locked)
    values["mail"] = form.choice(fields["mail"], key, locked="mail" in locked)
    return values


def _compare(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    with st.grid(2, min_column_width=180):
        values = {name: form.field(fields[name], key, locked=name in locked) for name in ("first", "second")}
    for name in ("examples", "exam"):
        values[name] = form.choice(fields[name], key, locked=name in locked)
    return values


def _true(result: Result) -> int:
    if result.argmax is None:
        return -1
    share = result.argmax.right / result.argmax.of
    return 0 if share > MOST else 1 if share > FEW else 2


def _tell_true(result: Result) -> str:
    if result.problem:
        return result.problem
    return f"{classifier.trust_finding(result)}. {classifier.curve_finding(result)}."


def _ahead(result: compare.Result) -> int:
    if not result.lines:
        return -1
    best = max(result.lines, key=lambda line: line.points[0].score.right)
    return KINDS.index(best.method)


def _tell_ahead(result: compare.Result) -> str:
    if not result.lines:
        return result.problem
    said = ", ".join(f"{line.short} — {classifiers.count(line.points[0].score)}" for line in result.lines)
    few = numbers.plural(result.lines[0].points[0].examples, "примере", "примерах", "примерах")
    return f"На {few}: {said}. С ростом числа примеров порядок меняется."


LOOKS: Mapping[str, Look] = {
    "classifier.compare": Look(
        title="Классификатор: кто кого",
        group=GROUP,
        summary="Счёт слов, признаки базы, одна голова, голова с LoRA: верные ответы по числу примеров и парный тест.",
        draw=classifiers.drawn,
        ask=Prediction(
            "Пять классов, двадцать обучающих примеров: по четыре на класс. Кто даст больше верных ответов?",
            tuple(one.title for one in METHODS.values()),
            _ahead,
            _tell_ahead,
        ),
        controls=_compare,
        stamp=state(recorded.FILE),
    ),
    "classifier.threshold": Look(
        title="Классификатор: порог, матрица ошибок, доверие",
        group=GROUP,
        summary="Порог уверенности или порог одного класса: матрица ошибок, полнота и точность, охват, цена доверия.",
        draw=classifier.drawn,
        ask=Prediction(
            "Голову и LoRA обучили на двадцати примерах: по четыре на класс. Softmax уверен в ответах. "
            "Сколько из них верны?",
            ("Больше 80 %", "От 50 до 80 %", "Меньше 50 %"),
            _true,
            _tell_true,
        ),
        controls=_threshold,
        stamp=state(recorded.FILE),
    ),
}
