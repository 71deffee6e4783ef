"""The first success: a number guessed before it is computed. Two minutes into the course, before any lesson."""

from __future__ import annotations

import streamlit as st

from common import numbers
from demos import registry
from ui import session

GUESSES = (0.5, 0.05, 0.005, 0.0005)
"""Shares of trainable parameters to choose from; the nearest to the computed one is right."""

KEY = "first-guess"


@st.fragment
def first_guess() -> None:
    """Guess what share of a real model LoRA trains; then see it computed."""
    with st.container(border=True, key=KEY):
        st.markdown(
            "**Угадайте число.** Mistral-7B — модель на семь миллиардов параметров. Её дообучают методом LoRA: ранг 8, "
            "адаптеры у слоёв `q_proj` и `v_proj`. Какая доля параметров будет обучаться?"
        )
        guess = session.recall(f"{KEY}-value", 0.0)
        if guess:
            _reveal(guess)
        else:
            _ask()


def _ask() -> None:
    with st.container(horizontal=True):
        for share in GUESSES:
            st.button(_words(share), key=f"{KEY}-{share}", on_click=session.remember, args=(f"{KEY}-value", share))


def _reveal(guess: float) -> None:
    result = registry.call("lora.count", {"architecture": "mistral-7b", "rank": 8, "targets": ["q_proj", "v_proj"]})
    nearest = min(GUESSES, key=lambda share: abs(share / result.share - 1))
    if guess == nearest:
        st.markdown(":green[:material/check_circle: **Точно.**] Вы уже думаете порядками — это половина дела.")
    else:
        st.markdown(f"Вы сказали {_words(guess)} — почти все сначала называют больше. Считаем:")
    left, middle, right = st.columns(3)
    left.metric("Обучается", numbers.integer(result.trainable))
    middle.metric("Всего в базовой модели", numbers.integer(result.base))
    right.metric("Доля", numbers.percent(result.share, 3))
    st.markdown("Почему так мало — и почему этого хватает, объясняет первый же урок.")
    st.button("Угадать заново", key=f"{KEY}-again", type="tertiary", on_click=session.forget, args=(f"{KEY}-value",))


def _words(share: float) -> str:
    digits = 0 if share >= 0.01 else 1 if share >= 0.001 else 2
    return f"около {numbers.percent(share, digits)}"
