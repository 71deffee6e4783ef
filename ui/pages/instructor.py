"""For instructors: checklist of the class, who needs help, exercise results, misconceptions, likeness, downloads.

Leaves out computing (``progress.reports``) and one learner's work (the learner page).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import streamlit as st

from charts.progress import heatmap
from common import numbers
from common.numbers import plural
from progress import export, reports, roster, sample
from progress.catalogue import Catalogue, ExerciseEntry, LessonEntry
from progress.roster import Work
from progress.states import INSTRUCTOR_WORDS
from ui import catalogue, links, look, session
from ui.widgets import similar, verdict, walls
from ui.widgets.chart import chart as show_chart
from ui.widgets.safe import plain

SHOWN_STUCK = 8


def page() -> None:
    """The dashboard, or what to do while there is nobody."""
    look.title("Преподаватель")
    if not session.actor().instructor:
        links.lost("Эта страница — для преподавателя.")
        return
    st.title("Группа", anchor=False)
    known = catalogue.catalogue(session.course(), session.exercises())
    works = roster.load(session.database(), session.actor())
    _sample_notice(present=any(work.person.sample for work in works))
    if not works:
        st.info("Пока никто не занимался. Как только ученик ответит на вопрос или отправит решение, он появится здесь.")
    else:
        _help(works, known)
        _checklist(works, known.lessons)
        _results(works, known.exercises)
        _misconceptions(works, known)
        similar.show(works, session.exercises())
    walls.show()
    links.go(
        "Проверка источников: что в исходных документах верно, а что нет", links.CLAIMS, icon=":material/fact_check:"
    )


def _sample_notice(*, present: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if present:
            st.caption("В таблицах есть выдуманная группа — пример. Её работы помечены словом «пример».")
            st.button("Убрать пример", icon=":material/delete:", on_click=_remove_sample)
        else:
            st.caption(
                "Хотите увидеть, как выглядят отчёты? Добавьте выдуманную группу, её можно убрать одной кнопкой."
            )
            st.button("Добавить пример", icon=":material/group_add:", on_click=_add_sample)


def _add_sample() -> None:
    known = catalogue.catalogue(session.course(), session.exercises(), examples=True)
    sample.add(session.database(), known, datetime.now(UTC))


def _remove_sample() -> None:
    sample.remove(session.database())


def _help(works: Sequence[Work], known: Catalogue) -> None:
    st.subheader("Кому нужна помощь", anchor="help")
    found = reports.stuck(works, known, datetime.now(UTC))
    if not found:
        st.success("Никто не застрял: нет ни трёх неудач подряд, ни недели тишины.", icon=":material/check_circle:")
        return
    st.markdown("\n".join(_stuck(one) for one in found[:SHOWN_STUCK]))
    if len(found) > SHOWN_STUCK:
        with st.expander(f"Ещё {plural(len(found) - SHOWN_STUCK, 'запись', 'записи', 'записей')}"):
            st.markdown("\n".join(_stuck(one) for one in found[SHOWN_STUCK:]))


def _stuck(one: reports.Stuck) -> str:
    return f"- {_link(one.person)}: {plain(one.sentence)} :gray[С {one.since.astimezone():%d.%m}.]"


def _checklist(works: Sequence[Work], lessons: Sequence[LessonEntry]) -> None:
    st.subheader("Чек-лист урока", anchor="checklist")
    with_items = [lesson for lesson in lessons if lesson.items]
    if not with_items:
        st.caption("Уроков с чек-листом пока нет.")
        return
    lesson = st.selectbox(
        "Урок", with_items, format_func=lambda one: one.title, key="instructor-lesson", bind="query-params"
    ) if len(with_items) > 1 else with_items[0]  # fmt: skip
    report = reports.class_progress(works, lesson)
    names = [_name(person) for person in report.people]
    chart = heatmap(names, [item.text for item in lesson.items], report.matrix())
    show_chart(chart, "heatmap")
    _legend()
    with st.expander("Какой пункт под каким номером"):
        for number, item in enumerate(lesson.items, start=1):
            counted = report.count(item.id)
            words = ", ".join(f"{INSTRUCTOR_WORDS[state]} — {many}" for state, many in counted.most_common())
            st.markdown(f"{number}. {item.text}  \n:gray[{words}]")
    st.download_button("Скачать чек-лист (CSV)", export.progress_csv(report), f"{lesson.id}-checklist.csv", "text/csv",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


def _legend() -> None:
    st.caption(
        "✓ доказано · ○ отмечено, ещё не доказано · ! расхождение: отмечено, но связанное задание решено неверно"
    )


def _results(works: Sequence[Work], exercises: Sequence[ExerciseEntry]) -> None:
    st.subheader("Упражнения", anchor="exercises")
    if not exercises:
        st.caption("Упражнений пока нет.")
        return
    found = reports.results(works, exercises)
    by_person = {work.person.id: work.person for work in works}
    cells = {(one.person.id, one.exercise): _cell(one) for one in found}
    head = "| Учащийся | " + " | ".join(plain(one.title) for one in exercises) + " |\n|---|" + "---|" * len(exercises)
    rows = (
        f"| {_link(person)} | " + " | ".join(cells[person.id, one.slug] for one in exercises) + " |"
        for person in by_person.values()
    )
    st.markdown("\n".join((head, *rows)))
    st.download_button("Скачать результаты (CSV)", export.results_csv(found, exercises), "results.csv", "text/csv",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


def _cell(result: reports.Result) -> str:
    if result.last is None:
        return "—"
    tries = plural(result.attempts, "попытка", "попытки", "попыток")
    mark = "✓ " if result.passed else ""
    return f"{mark}{verdict.points(result.points, result.possible)}, {tries}"


def _misconceptions(works: Sequence[Work], known: Catalogue) -> None:
    st.subheader("Заблуждения группы", anchor="misconceptions")
    found = reports.misconceptions(works, known)
    if not found:
        st.caption("Ни одного заблуждения пока не распознано.")
        return
    for one in found[:SHOWN_STUCK]:
        people = plural(one.people, "учащийся", "учащихся", "учащихся")
        st.markdown(f"**{one.title}** :gray[{people}, {plural(one.times, 'раз', 'раза', 'раз')} "
                    f"({numbers.percent(one.people / len(works), 0)} группы)]")  # fmt: skip
    st.download_button("Скачать заблуждения (CSV)", export.misconceptions_csv(found), "misconceptions.csv", "text/csv",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


def _link(person: roster.Person) -> str:
    return f"[{plain(_name(person))}](/learner?id={quote(person.id)})"


def _name(person: roster.Person) -> str:
    return f"{person.name} (пример)" if person.sample else person.name


page()
