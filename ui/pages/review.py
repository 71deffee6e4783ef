"""«Повторение»: questions that went wrong and terms come back when they are about to be forgotten (FSRS)."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from common import numbers
from progress.database import DatabaseFault
from ui import deck, links, look, record, session
from ui.deck import Card, Deck
from ui.widgets.parts import meaning
from ui.widgets.prose import prose
from ui.widgets.quiz import anew, question

NOW = "review-card"
RATINGS = {"": "Не вспомнил", "guess": "С трудом", "think": "Вспомнил", "sure": "Легко"}


def _page() -> None:
    look.title("Повторение")
    st.title("Повторение", anchor=False)
    mine = deck.deck(datetime.now(UTC))
    card = _current(mine)
    if card is None:
        _nothing(mine)
        return
    left = len(mine.waiting) or len(mine.fresh)
    words = "На сегодня" if mine.waiting else "Новые термины"
    st.caption(f"{words}: {numbers.plural(left, 'карточка', 'карточки', 'карточек')}. Урок «{card.lesson.title}».")
    if card.question:
        question(record.load(card.lesson), card.question.id)
    elif card.term:
        _term(card)
    st.button(
        "Следующая карточка", key="review-next", icon=":material/arrow_forward:", on_click=session.forget, args=(NOW,)
    )


def _current(mine: Deck) -> Card | None:
    """The card that is open in this tab, answered or not; else the first that waits."""
    name: tuple[str, str] | None = session.recall(NOW, None)
    everything = (*mine.waiting, *mine.fresh)
    shown = next((card for card in everything if card.name == name), None)
    if name is not None and shown is None:
        shown = deck.find(*name)
    if shown is None and everything:
        shown = everything[0]
        session.remember(NOW, shown.name)
        session.forget("review-open")
        if shown.question:
            anew(shown.question.id)
    return shown


def _nothing(mine: Deck) -> None:
    if not mine.later:
        st.markdown(
            "Пока повторять нечего. Сюда сами попадут вопросы, где вы ошиблись или угадали, и термины открытых уроков."
        )
        links.go("К карте курса", links.HOME, icon=":material/map:")
        return
    soonest = mine.later[0].astimezone().strftime("%d.%m.%Y")
    st.success("На сегодня всё повторено.", icon=":material/task_alt:")
    st.markdown(
        f"Ближайшая карточка вернётся {soonest}. Всего в колоде "
        f"{numbers.plural(len(mine.later), 'карточка', 'карточки', 'карточек')}. Чем увереннее ответ, тем дольше пауза."
    )


def _term(card: Card) -> None:
    if card.term is None:
        return
    with st.container(border=True, key="review-term", gap="xsmall"):
        prose(f"**{card.term.name}**" + (f" :gray[· {card.term.english}]" if card.term.english else ""))
        if not session.recall("review-open", default=False):
            st.markdown("Скажите вслух, что это значит. Потом сверьтесь.")
            st.button("Показать", key="review-show", on_click=session.remember, args=("review-open", True))
            return
        meaning(card.term)
        st.markdown("Получилось?")
        with st.container(horizontal=True):
            for confidence, words in RATINGS.items():
                st.button(words, key=f"review-{confidence or 'no'}", on_click=_rate, args=(card, confidence))
    if session.recall("review-fault", ""):
        st.warning(session.recall("review-fault", ""), icon=":material/sync_problem:")


def _rate(card: Card, confidence: str) -> None:
    try:
        deck.recalled(card, confidence)
    except DatabaseFault as problem:
        session.remember("review-fault", str(problem))
        return
    session.forget("review-fault")
    session.forget(NOW)


_page()
