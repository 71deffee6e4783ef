"""«Мои запуски»: every run of the learner, any of them on one chart; from here to a new one, to a run's page, away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from charts.runs import Curve, compare, curves
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from lessons.model import RunRef
from progress.submissions import Missing, Rejected
from ui import links, look, run_view, runs, session
from ui.runs import Run
from ui.widgets.chart import chart as show_chart
from ui.widgets.safe import plain

AT_FIRST = 3
"""Runs drawn before anybody has chosen."""
SMOOTHING = {0.0: "нет", 0.6: "слабое", 0.9: "сильное"}


def _page() -> None:
    look.title("Мои запуски")
    st.title("Мои запуски", anchor=False)
    mine = runs.mine()
    if not mine:
        _empty()
        return
    links.go("Новый запуск", links.NEW_RUN, icon=":material/add:")
    _table(mine)


def _empty() -> None:
    st.markdown(
        "Здесь появятся ваши дообучения: каждое со своей кривой, результатом и адаптером. "
        "Первое удобно сделать прямо в уроке — там уже выбран рецепт."
    )
    place = panel_place()
    if place and st.button("К дообучению в уроке", type="primary", icon=":material/play_arrow:", key="to-lesson"):
        st.switch_page(links.LESSON, query_params=links.lesson(*place))
    links.go("Собрать рецепт самому", links.NEW_RUN, icon=":material/tune:")


def panel_place() -> tuple[str, str] | None:
    """The first lesson and block with a panel of runs."""
    for lesson in session.course().lessons:
        for block in lesson.blocks:
            if any(isinstance(piece, RunRef) for piece in block.pieces):
                return lesson.id, block.id
    return None


@st.fragment
def _table(mine: Sequence[Run]) -> None:
    """The chart of the chosen above the list in which they are chosen."""
    chart = st.container(key="overlay")
    st.subheader("История", anchor=False)
    told = {run.id: runs.tell(run) for run in mine}
    drawable = [run for run in mine if told[run.id].steps]
    worth = [run for run in drawable if run.state in {"finished", "running"}] or drawable
    for run in worth[:AT_FIRST]:
        if session.recall(_box(run), None) is None and not session.recall("runs-chosen", default=False):
            session.remember(_box(run), True)
    session.remember("runs-chosen", True)
    for run in mine:
        _row(run, told[run.id])
    with chart:
        _overlay([run for run in drawable if session.recall(_box(run), False)], told)


def _box(run: Run) -> str:
    return f"draw-{run.id}"


def _row(run: Run, story: Story) -> None:
    with st.container(border=True, gap="xsmall", key=f"row-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            links.go(f"**{plain(run.title)}**", links.RUN, links.run(run.id), icon=":material/show_chart:")
            st.markdown(
                f"{run_view.badge(run.state)} :gray[№ {run.id} · {run.created.astimezone():%d.%m %H:%M}]",
                width="content",
            )
        st.caption(_said(run.spec, story))
        with st.container(horizontal=True, vertical_alignment="center"):
            if story.steps:
                st.checkbox("На график", key=_box(run))
            if run.over:
                _delete(run)


def _said(spec: RunSpec | None, story: Story) -> str:
    words = [run_view.facts(spec)] if spec else ["рецепт другой версии курса"]
    if story.finished is not None:
        end = story.finished
        words.append(f"точных ответов {run_view.share(end.before)} → {run_view.share(end.after)}")
    elif story.failed is not None:
        words.append(plain(story.failed.text))
    return " · ".join(words)


def _delete(run: Run) -> None:
    """Two clicks, the second beside the first: what is gone is gone."""
    asked = f"delete-{run.id}"
    if not session.recall(f"{asked}-asked", default=False):
        st.button("Удалить", key=asked, type="tertiary", icon=":material/delete:", on_click=session.remember,
                  args=(f"{asked}-asked", True))  # fmt: skip
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Удалить запуск вместе с адаптером? Вернуть его будет нельзя.", width="content")
        if st.button("Удалить насовсем", key=f"{asked}-yes", icon=":material/delete_forever:"):
            _gone(run)
        st.button("Оставить", key=f"{asked}-no", on_click=session.forget, args=(f"{asked}-asked",))


def _gone(run: Run) -> None:
    try:
        runs.delete(run.id)
    except (Missing, Rejected) as problem:
        st.warning(str(problem))
    else:
        st.rerun()


def _overlay(chosen: Sequence[Run], told: dict[int, Story]) -> None:
    drawn = [Curve(f"{run.title} · № {run.id}", run.spec, told[run.id]) for run in chosen if run.spec]
    if not drawn:
        st.caption("Отметьте запуски в списке ниже — их кривые лягут на один график.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="overlay-options"):
        smoothing = st.segmented_control(
            "Сглаживание",
            list(SMOOTHING),
            default=0.0,
            required=True,
            key="smoothing",
            format_func=lambda weight: SMOOTHING[weight],
        )
        log = st.toggle("Логарифмическая шкала", key="log-scale")
    chart = curves(drawn, log=log, smoothing=smoothing or 0.0)
    show_chart(chart, "overlay-chart")
    if sum(curve.story.finished is not None for curve in drawn) > 1:
        bars = compare(drawn)
        show_chart(bars, "compare-chart")


_page()
