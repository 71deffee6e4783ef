"""Runs while they go: what is happening, how long it takes, the curves, alarms, the button that stops. Then silence.

One fragment that asks the database again and again and stops asking once every run is over: the page is then drawn
once more, with results. Leaves out results (``run_result``) and starting (``run_panel``, ``run_form``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from charts.runs import Curve, curves
from common import numbers
from demos.finetuning.events import Alarm, Step
from demos.finetuning.story import Story
from jobs.queue import Place
from progress.database import DatabaseFault
from ui import run_view, runs
from ui.runs import Run
from ui.widgets.chart import chart as show_chart
from ui.widgets.safe import plain

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 15.0
"""After this long without a worker the page says that nobody trains."""
ALONE = (
    "Процесс, который обучает, не отвечает. Запуск сохранён и начнётся, как только процесс появится. "
    "Страницу можно закрыть."
)


def live(shown: Sequence[Run], key: str, *, mine: bool = True) -> None:
    """The runs and one chart of all; asks again while any of them goes. ``mine``: may be stopped from here."""
    busy = any(not run.over for run in shown)
    st.fragment(_live, run_every=POLL_SECONDS if busy else None)([run.id for run in shown], key, busy=busy, mine=mine)


def _live(ids: Sequence[int], key: str, *, busy: bool, mine: bool) -> None:
    try:
        shown = [runs.get(number) for number in ids]
        told = [runs.tell(run) for run in shown]
    except DatabaseFault as fault:
        st.caption(f"{fault} Запуск идёт своим чередом, страница спросит снова.")
        return
    if busy and all(run.over for run in shown):
        st.rerun()
    for number, run in enumerate(shown):
        told[number] = _state(run, told[number], key, alone=len(shown) == 1)
        if mine and not run.over:
            _stop(run, key)
    drawn = [Curve(_name(run, shown), run.spec, story) for run, story in zip(shown, told, strict=True) if run.spec]
    if any(curve.story.steps or curve.story.evaluated for curve in drawn):
        chart = curves(drawn)
        show_chart(chart, f"live-chart-{key}", save=False)


def _name(run: Run, shown: Sequence[Run]) -> str:
    """The title, with the number when another of the shown has the same."""
    same = sum(other.title == run.title for other in shown) > 1
    return f"{run.title} · № {run.id}" if same else run.title


def _state(run: Run, story: Story, key: str, *, alone: bool) -> Story:
    """One run in words; the story to draw, which for a waiting run may be a recorded one."""
    with st.container(key=f"run-{key}-{run.id}", gap="small"):
        if not alone:
            st.markdown(f"**{plain(run.title)}** &nbsp;{run_view.badge(run.state)}")
        if run.state == "queued":
            story = _waiting(run, alone=alone) or story
        elif run.state == "running":
            _running(story, alone=alone)
        elif story.failed is not None:
            _failed(run, story)
        for alarm in story.alarms:
            _alarm(alarm)
    return story


def _stop(run: Run, key: str) -> None:
    st.button(
        "Останавливаем…" if run.stopping else "Остановить",
        key=f"cancel-{key}-{run.id}",
        icon=":material/stop_circle:",
        disabled=run.stopping,
        on_click=runs.cancel,
        args=(run.id,),
    )


def _waiting(run: Run, *, alone: bool) -> Story | None:
    """The place in line; the recorded run that is shown until one's own begins, if there is one."""
    place = runs.place(run)
    if place is not None and place.position > 0:
        st.status(f"В очереди: {place.position}-е место{_wait(place)}.", state="running")
    elif (datetime.now(UTC) - run.created).total_seconds() > PATIENCE_SECONDS and not runs.served():
        st.warning(ALONE, icon=":material/hourglass_top:")
    else:
        st.status("В очереди: скоро начнём.", state="running")
    recorded = runs.meanwhile(run, place)
    if recorded is not None:
        st.markdown(
            ":violet-badge[запись] Пока ваш запуск ждёт, здесь идёт запись такого же: тот же рецепт и то же зерно. "
            "Дойдёт очередь — запись сменится вашим запуском."
        )
        _running(recorded, alone=alone)
    elif alone:
        st.caption("Страницу можно закрыть: запуск не потеряется, а ссылка на него останется прежней.")
    return recorded


def _wait(place: Place) -> str:
    return f", начнём примерно через {numbers.duration(place.wait_seconds)}" if place.wait_seconds >= 1 else ""


def _running(story: Story, *, alone: bool) -> None:
    words = [word for word in (run_view.now(story), run_view.time_left(story)) if word]
    st.progress(run_view.share_done(story), text=" · ".join(words))
    if alone and story.last is not None:
        _numbers(story.last)


def _numbers(step: Step) -> None:
    with st.grid(5, min_column_width=118, key="live-numbers"):
        st.metric("Потери", numbers.decimal(step.loss, 3))
        st.metric("Скорость обучения", run_view.rate(step.learning_rate))
        st.metric("Норма градиента", numbers.decimal(step.gradient_norm, 2))
        st.metric("Токенов в секунду", numbers.integer(step.tokens_per_second))
        st.metric("Память на пике", numbers.size(step.memory))


def _failed(run: Run, story: Story) -> None:
    text = plain(story.failed.text) if story.failed else ""
    if run.state == "cancelled":
        st.info(text or "Запуск остановлен.", icon=":material/stop_circle:")
    else:
        st.warning(text, icon=":material/report:")


def _alarm(alarm: Alarm) -> None:
    if alarm.fatal:
        st.warning(plain(alarm.text), icon=":material/warning:")
    else:
        st.info(plain(alarm.text), icon=":material/info:")
