"""«Что выбрать»: prompting, few-shot, RAG or fine-tuning, question by question with reasons; then cases to judge."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons import decision
from lessons.crossroads import Case, Crossroad, Decision, Verdict
from ui import answered, links, look, session
from ui.answers import shuffled
from ui.widgets.prose import prose

WAY = "choose-way"
KIND, FIELD = "decision", "chosen"


def _page() -> None:
    look.title("Что выбрать")
    st.title("Что выбрать", anchor=False)
    found = session.course().decision
    if found is None:
        links.lost("Этой страницы пока нет: в курсе не описан выбор.")
        return
    st.markdown(
        "Инструкция, примеры в запросе, поиск по базе знаний или дообучение? Идите от дешёвого к дорогому: "
        "каждый следующий способ нужен только там, где не хватило предыдущего."
    )
    _wizard(found)
    st.subheader("Проверьте себя", anchor="cases")
    count = numbers.plural(len(found.cases), "случай", "случая", "случаев")
    st.markdown(f"{count} из жизни. Выберите вывод — и прочитайте, во что обошёлся бы другой.")
    for case in found.cases:
        _case(found, case)


@st.fragment
def _wizard(found: Decision) -> None:
    chosen: tuple[int, ...] = session.recall(WAY, ())
    way, here = decision.follow(found, chosen)
    with st.container(border=True, key="choose"):
        for place, (question, answer) in enumerate(way):
            st.button(
                f"{question.text} — **{answer.text}**",
                key=f"choose-back-{place}",
                type="tertiary",
                icon=":material/undo:",
                help="Изменить этот ответ",
                on_click=session.remember,
                args=(WAY, chosen[:place]),
                wrap=True,
            )
        if isinstance(here, Verdict):
            _verdict(here, [answer.because for _, answer in way])
        else:
            _ask(here, chosen)


def _ask(here: Crossroad, chosen: tuple[int, ...]) -> None:
    prose(f"**{here.text}**")
    if here.help:
        st.caption(here.help)
    for place, answer in enumerate(here.answers):
        st.button(
            answer.text,
            key=f"choose-{here.id}-{place}",
            on_click=session.remember,
            args=(WAY, (*chosen, place)),
            wrap=True,
        )


def _verdict(here: Verdict, reasons: list[str]) -> None:
    st.markdown(f"#### {here.title}")
    prose(here.text)
    st.markdown("**Почему.** " + " ".join(reasons))
    st.markdown(f":material/flag: **Первый шаг.** {here.first}")
    st.markdown("**Почему не другое**")
    st.markdown("\n".join(f"- **{one.what}.** {one.why}" for one in here.rejected))
    lesson_id, _, block = here.lesson.partition("#")
    lesson = session.course().lesson(lesson_id) if lesson_id else None
    if lesson:
        links.go(f"Урок {lesson.number}. {lesson.title}", links.LESSON, links.lesson(lesson.id, block))
    st.button("Пройти заново", key="choose-again", icon=":material/replay:", on_click=session.forget, args=(WAY,))


@st.fragment
def _case(found: Decision, case: Case) -> None:
    titles = {verdict.id: verdict.title for verdict in found.verdicts}
    judged = answered.recall(KIND, FIELD).get(case.id)
    with st.container(border=True, key=f"case-{case.id}", gap="xsmall"):
        prose(case.text)
        options = shuffled([case.right, *(one.verdict for one in case.wrong)], session.actor().id, case.id)
        if judged is None:
            with st.container(horizontal=True):
                for name in options:
                    st.button(titles[name], key=f"{case.id}-{name}", on_click=_judge, args=(case, name), wrap=True)
            return
        if judged == case.right:
            st.markdown(f":green[:material/check_circle: **{titles[judged]}.**] {case.why}")
        else:
            cost = next((one.why for one in case.wrong if one.verdict == judged), "")
            st.markdown(f":red[:material/cancel: **{titles[judged]}.**] {cost}")
            st.markdown(f":green[:material/check_circle: **{titles[case.right]}.**] {case.why}")
        st.button(
            "Решить заново",
            key=f"{case.id}-again",
            type="tertiary",
            icon=":material/replay:",
            on_click=answered.forget,
            args=(KIND, FIELD, case.id),
        )


def _judge(case: Case, name: str) -> None:
    answered.keep(KIND, FIELD, case.id, name, right=name == case.right)


_page()
