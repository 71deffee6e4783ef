"""The comparison of PEFT methods in a page: closed form, so it happens right here; PEFT checks it on demand.

Leaves out the drawing (``charts.lora_methods``) and the check (``peft_check``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import lora_methods
from common import numbers
from demos.lora import snippets
from demos.lora.methods import Result, Row
from demos.lora.models import ARCHITECTURES
from demos.params import Field
from ui.demos import form, frame, peft_check, target_layers
from ui.demos.frame import Look, Prediction

RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
REST = ["vera_rank", "virtual_tokens", "bottleneck", "saved", "new_tokens"]
CHOICES = ("vera", "ia3", "prompt")


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    chosen = target_layers.model(tuple(ARCHITECTURES), key, locked="architecture" in locked)
    values = {
        "architecture": chosen,
        "rank": form.slider(fields["rank"], key, RANKS, locked="rank" in locked),
        "targets": target_layers.pick(ARCHITECTURES[chosen], key, locked="targets" in locked),
    }
    with st.expander("Настройки других методов", icon=":material/tune:", key=f"{key}-more"):
        return values | frame.grid(fields, REST, locked, key)


def _row(result: Result, method: str) -> Row:
    return next(row for row in result.rows if row.method == method)


def _least(result: Result) -> int:
    return min(range(len(CHOICES)), key=lambda place: _row(result, CHOICES[place]).file_bytes)


def _tell(result: Result) -> str:
    rows = [_row(result, method) for method in CHOICES]
    files = ", ".join(f"{row.title} — {numbers.size(row.file_bytes)}" for row in rows)
    vera = rows[0]
    return (
        f"Файлы: {files}. VeRA обучает всего {numbers.integer(vera.trainable)} параметров, "
        "но PEFT сохраняет и её замороженные матрицы."
    )


LOOKS: Mapping[str, Look] = {
    "lora.methods": Look(
        title="Методы PEFT рядом",
        group="LoRA",
        summary="Двенадцать способов дообучить одну модель: что обучается, каким будет файл, сколько займёт Adam.",
        draw=lora_methods.draw,
        ask=Prediction(
            "Mistral-7B, готовые настройки. VeRA обучает 180 тысяч параметров, IA³ — 524 тысячи, prompt tuning — "
            "82 тысячи. У кого самый маленький файл?",
            ("у VeRA", "у IA³", "у prompt tuning"),
            _least,
            _tell,
        ),
        controls=_controls,
        code=snippets.compare,
        below=peft_check.compared,
    )
}
