"""LoRA's matrices and their beginnings in a page: computed by torch, so in the compute process.

Leaves out the drawing (``charts.matrices``, ``charts.inits``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import inits as inits_charts
from charts import matrices as matrices_charts
from common import numbers
from demos.lora import snippets
from demos.lora.inits import Result as Inits
from demos.lora.matrices import Result
from demos.params import Field
from ui.demos import form, frame
from ui.demos.frame import Look, Prediction

RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
ALPHAS = (0, 1, 2, 4, 8, 16, 32, 64)


def _where(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """Which matrix of the model, and how large an adapter."""
    with st.grid(2, min_column_width=200):
        return {
            "layer": form.slider(fields["layer"], key, locked="layer" in locked),
            "kind": form.field(fields["kind"], key, locked="kind" in locked),
            "rank": form.slider(fields["rank"], key, RANKS, locked="rank" in locked),
            "alpha": form.slider(fields["alpha"], key, ALPHAS, locked="alpha" in locked),
        }


def _matrices(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {"source": form.choice(fields["source"], key, locked="source" in locked), **_where(fields, locked, key)}


def _inits(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return _where(fields, locked, key) | frame.grid(fields, ["steps", "seed"], locked, key)


def _directions(result: Result) -> int:
    needed = result.spectra[0].rank_for_90
    return 0 if needed <= 8 else 1 if needed <= 48 else 2


def _tell_directions(result: Result) -> str:
    full, _, random = result.spectra
    return (
        f"90 % энергии держат {full.rank_for_90} из {len(full.curve)}, а у случайной матрицы — {random.rank_for_90}. "
        f"Адаптеру хватило {result.trained_rank}: верных ответов {result.adapter_right} против {result.full_right} "
        f"из {result.asked}."
    )


def _still(result: Inits) -> int:
    zero = next(row for row in result.rows if row.init == "zero")
    return int(zero.losses[-1] == zero.losses[0])


def _tell_still(result: Inits) -> str:
    usual = next(row for row in result.rows if row.init == "kaiming")
    return (
        "Градиент A умножается на B, градиент B — на A: если обе нули, оба градиента нули, и потери стоят на месте. "
        f"При обычном начале B сдвигается сразу: норма её градиента {numbers.significant(usual.grad_b, 3)}."
    )


LOOKS: Mapping[str, Look] = {
    "lora.matrices": Look(
        title="Матрицы LoRA",
        group="LoRA",
        summary="W, A, B и их произведение на настоящем слое: обученный адаптер, полное дообучение, случайные числа.",
        draw=matrices_charts.draw,
        ask=Prediction(
            "Слой 192 × 192 дообучили целиком, все веса. На скольких направлениях держатся 90 % поправки?",
            ("не больше 8", "от 9 до 48", "больше 48"),
            _directions,
            _tell_directions,
        ),
        controls=_matrices,
        code=snippets.layer,
    ),
    "lora.inits": Look(
        title="С чего начинают A и B",
        group="LoRA",
        summary="Семь способов начать: что видит первый шаг, где градиент нулевой и кто не сдвинется никогда.",
        draw=inits_charts.draw,
        ask=Prediction(
            "Пусть и A, и B начинают с нулей. Научится ли такой адаптер?",
            ("да, только медленнее", "нет, никогда"),
            _still,
            _tell_still,
        ),
        controls=_inits,
        code=snippets.inits,
    ),
}
