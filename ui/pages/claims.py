"""For instructors: every claim of the source documents with our verdict, the truth and its derivation."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from common import numbers
from lessons.model import Claim
from ui import links, look, session

COLORS = {"верно": "green", "неточно": "orange", "неверно": "red", "устарело": "violet", "не проверить": "gray"}


def _page() -> None:
    look.title("Проверка источников")
    if not session.actor().instructor:
        links.lost("Эта страница — для преподавателя.")
        return
    st.title("Проверка источников", anchor=False)
    st.markdown(
        "Утверждения исходных документов, наш вердикт и вывод. Ученики этих документов не видели: неверное стало "
        "мифом, охотой за ошибкой или ничем."
    )
    claims = session.course().claims
    counts: Counter[str] = Counter(claim.verdict for claim in claims)
    _list(claims, counts)


@st.fragment
def _list(claims: tuple[Claim, ...], counts: Counter[str]) -> None:
    chosen = st.pills(
        "Вердикт",
        list(COLORS),
        selection_mode="multi",
        key="claims-verdict",
        default=[],
        format_func=lambda verdict: f"{verdict} · {counts[verdict]}",
    )
    sought = st.text_input(
        "Найти",
        key="claims-search",
        type="search",
        live=True,
        placeholder="слово или место: сл. 33",
        icon=":material/search:",
    )
    shown = [claim for claim in claims if (not chosen or claim.verdict in chosen) and _matches(claim, sought or "")]
    st.caption(numbers.plural(len(shown), "утверждение", "утверждения", "утверждений"))
    for claim in shown:
        _claim(claim)


def _claim(claim: Claim) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":{COLORS[claim.verdict]}-badge[{claim.verdict}] :gray[{claim.source}, {claim.place}]")
        st.markdown(f"«{claim.says.strip('«»')}»")
        st.markdown(claim.truth)
        if claim.derivation:
            st.caption(f"Вывод: {claim.derivation}")
        _taught(claim)


def _taught(claim: Claim) -> None:
    lesson_id, _, block_id = claim.taught.partition("#")
    lesson = session.course().lesson(lesson_id)
    if lesson:
        block = lesson.block(block_id)
        links.go(
            f"Где об этом: {block.title if block else lesson.title}",
            links.LESSON,
            links.lesson(lesson.id, block.id if block else ""),
        )


def _matches(claim: Claim, sought: str) -> bool:
    everything = f"{claim.source} {claim.place} {claim.says} {claim.truth} {claim.derivation}".casefold()
    return all(word in everything for word in sought.casefold().split())


_page()
