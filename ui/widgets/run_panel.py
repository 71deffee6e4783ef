"""A panel that a lesson embeds: a preset, one button that really fine-tunes, the curve and the result in place.

What it started is found again after a reload by its recipe. Leaves out the run's own page, where everything else is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from charts.runs import Curve, compare
from common import numbers
from demos.finetuning import presets
from demos.finetuning.presets import Preset
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import TASKS
from demos.params import ParamsError
from progress.database import DatabaseFault
from progress.submissions import Missing, Rejected
from ui import links, run_view, runs, session
from ui.runs import Run
from ui.widgets import run_form, run_live, run_result
from ui.widgets.chart import chart as show_chart

OFFERED = ("task", "rank", "alpha", "learning_rate", "steps", "examples", "seed")
"""Fields that a panel lets a learner change, as far as the lesson does not lock them."""


@st.fragment
def panel(name: str, preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
    """The panel of a preset; fields in ``locked`` cannot be changed."""
    try:
        chosen = presets.preset(name)
        specs = chosen.change(preset)
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
        return
    with st.container(border=True, key=f"run-panel-{key}"):
        st.markdown(f"**{chosen.title}**")
        words = st.container()
        wanted = _changed(chosen, specs, locked, key)
        words.caption(about(wanted or specs))
        shown = _shown(wanted, key)
        if wanted:
            _button(wanted, shown, key)
        if shown:
            run_live.live(shown, key)
            _results(shown, key)


def about(specs: Sequence[RunSpec]) -> str:
    """What will be done, in one line: task, steps, seed."""
    first = specs[0]
    if _nobody_trains(specs):
        return f"Задача: «{run_view.task(first)}» и старые умения; обучения нет."
    steps = numbers.plural(first.steps, "шаг", "шага", "шагов")
    names = f"{'; '.join(spec.title for spec in specs)}. " if len(specs) > 1 else ""
    return f"{names}Задача: «{run_view.task(first)}», {steps}, зерно {first.seed}."


def _changed(
    chosen: Preset, specs: tuple[RunSpec, ...], locked: frozenset[str], key: str
) -> tuple[RunSpec, ...] | None:
    """The specs with what the learner changed; None, with a sentence, when they cannot be."""
    first = specs[0]
    names = [name for name in OFFERED if name in chosen.fields - locked and run_form.used(name, _plain(first))]
    if not names:
        return specs
    with st.expander("Изменить рецепт", icon=":material/tune:", key=f"{key}-recipe"):
        run_form.begin(key, first)
        values = run_form.fields(key, names, {name: task.title for name, task in TASKS.items()})
        links.go("Все настройки", links.NEW_RUN, links.recipe(first), icon=":material/settings:")
    try:
        return chosen.change({**{name: getattr(first, name) for name in chosen.fields}, **values})
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
        return None


def _plain(spec: RunSpec) -> dict[str, object]:
    return {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec)}


def _nobody_trains(specs: Sequence[RunSpec]) -> bool:
    return all(spec.method == "none" for spec in specs)


def _button(specs: Sequence[RunSpec], shown: Sequence[Run], key: str) -> None:
    busy = any(not run.over for run in shown)
    verb = "Сравнить" if _nobody_trains(specs) else "Дообучить"
    label = f"{verb} ещё раз" if shown and not busy else verb
    pressed = st.button(label, type="primary", key=f"{key}-start", icon=":material/play_arrow:", disabled=busy)
    if not pressed:
        return
    try:
        session.remember(_started(key), runs.start(specs))
    except (Rejected, DatabaseFault) as problem:
        st.warning(str(problem), icon=":material/hourglass_top:")
    else:
        st.rerun()


def _started(key: str) -> str:
    return f"{key}-started"


def _shown(specs: Collection[RunSpec] | None, key: str) -> list[Run]:
    """The runs that this panel started or, in a new tab, the latest of the same recipe."""
    ids: tuple[int, ...] = session.recall(_started(key), ())
    if not ids and specs:
        mine = runs.mine()
        latest = (next((run.id for run in mine if run.spec == spec and run.dataset is None), 0) for spec in specs)
        ids = tuple(number for number in latest if number)
    found = []
    for number in ids:
        try:
            found.append(runs.get(number))
        except Missing:  # deleted in another tab
            continue
    return found


def _results(shown: Sequence[Run], key: str) -> None:
    told = [(run, runs.tell(run)) for run in shown if run.over]
    done = [(run, story) for run, story in told if story.finished is not None and run.spec is not None]
    if len(shown) == 1 and done:
        (run, story), *_ = done
        if story.finished is not None and run.spec is not None:
            run_result.changed(story.finished, key)
            run_result.cost(run.spec, story)
    elif len(done) > 1:
        chart = compare([Curve(run.title, run.spec, story) for run, story in done if run.spec])
        show_chart(chart, f"compare-{key}")
        st.markdown(run_view.side_by_side([(run.title, story) for run, story in done]))
    with st.container(horizontal=True, key=f"{key}-links"):
        for run in shown:
            label = "Страница запуска" if len(shown) == 1 else run.title
            links.go(label, links.RUN, links.run(run.id), icon=":material/open_in_new:")
        links.go("Мои запуски", links.RUNS, icon=":material/monitoring:")
