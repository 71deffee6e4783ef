"""What every demo has around its computing: a guess first, the fields, the figure, what goes wrong, what to take along.

A view is data: a ``Look`` says what is special about a demo, the rest is here. Light demos are computed in the page,
heavy ones in the compute process; the class computes each set of values once. Leaves out the drawing (``charts``), the
computing (``demos``) and the guess's storage (``ui.guesses``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import streamlit as st

from charts.drawing import Drawing
from demos import registry
from demos.params import Checked, Field, ParamsError
from jobs import compute
from ui import guesses, links
from ui.demos import form
from ui.widgets.chart import SAVE, chart
from ui.widgets.table import csv, table

Controls = Callable[[Mapping[str, Field], frozenset[str], str], dict[str, Any]]
"""``controls(fields by name, locked ones, key)`` → plain arguments."""


class View(Protocol):
    """A demo in a page; without ``asks`` its question is left out."""

    def __call__(self, preset: Mapping[str, str], locked: frozenset[str], key: str, *, asks: bool = True) -> None:
        """Draw the demo."""


FEW = 4
"""So many fields stand open; the rest of them unfold."""
LONGEST_LINK = 6000
"""Characters of all values in an address: longer ones are cut by browsers and mail."""


def _nothing() -> None:
    """A demo's values alone decide its result."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question about the demo's own starting values, asked before they are shown. The answer is computed.

    The question tells these values: a lesson may open the demo at others.
    """

    question: str
    options: tuple[str, ...]
    right: Callable[[Any], int]  # Result → which option holds
    tell: Callable[[Any], str]  # Result → what came out, in one or two sentences


@dataclass(frozen=True, slots=True)
class Look:
    """How one demo is shown."""

    title: str
    group: str  # the section of the list of demos
    summary: str  # one sentence: what one can find out here
    draw: Callable[[Any], Drawing]
    ask: Prediction | None = None
    controls: Controls | None = None
    code: Callable[[Any], str] | None = None  # Params → code of the libraries that does the same
    below: Callable[[Any, Any, str], None] | None = None  # (Params, Result, key): more widgets under the figure
    stamp: Callable[[], Hashable] = (
        _nothing  # what else decides the result: the state of the files that it is read from
    )


def view(name: str, look: Look) -> View:
    """The view of a demo: a fragment, so that its fields do not run the page again."""

    @st.fragment
    def shown(preset: Mapping[str, str], locked: frozenset[str], key: str, *, asks: bool = True) -> None:
        if not asks or look.ask is None or _guessed(name, look, look.ask, key):
            _play(name, look, preset, locked, key)

    return shown


def _play(name: str, look: Look, preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
    try:
        values = form.start(name, preset, key)
        values |= (look.controls or _controls)(_fields(name), locked, key)
        params = registry.params(name, values)
        result, drawing = _waited(name, look, params)
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        st.button("Попробовать ещё раз", key=f"{key}-retry", icon=":material/replay:")
    else:
        show(drawing, key, name=name)
        if look.below is not None:
            look.below(params, result, key)
        for place, shown in enumerate(drawing.tables):
            table(shown, f"table-{key}-{place}")
        _take(name, look, params, drawing, key)


def _fields(name: str) -> dict[str, Field]:
    return {item.name: item for item in registry.describe_fields(name)}


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """Every field by its own widget; all but the first few unfold."""
    names = list(fields)
    values = grid(fields, names[:FEW], locked, key)
    if names[FEW:]:
        with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"):
            values |= grid(fields, names[FEW:], locked, key)
    return values


def grid(fields: Mapping[str, Field], names: list[str], locked: frozenset[str], key: str) -> dict[str, Any]:
    """Fields of these names side by side, as many as the width has room for."""
    with st.grid(2, min_column_width=180):
        return {name: form.field(fields[name], key, locked=name in locked) for name in names}


def _waited(name: str, look: Look, params: Checked) -> tuple[Any, Drawing]:
    if not registry.DEMOS[name].heavy:
        return computed(name, look.draw, params, look.stamp())
    with st.spinner("Считаем…", show_time=True):
        return computed(name, look.draw, params, look.stamp())


@lru_cache(maxsize=128)
def computed(
    name: str, draw: Callable[[Any], Drawing], params: Checked, _stamp: Hashable = None
) -> tuple[Any, Drawing]:
    """Result and drawing of a demo, once for the whole class. A failure is not kept.

    Raises:
        ParamsError: values that the demo cannot use together.
        ComputeError: the compute process has no result.
    """
    result = compute.call(name, {item.name: getattr(params, item.name) for item in dataclasses.fields(params)})  # type: ignore[arg-type]
    return result, draw(result)


def views(looks: Mapping[str, Look]) -> dict[str, View]:
    """The views of these demos by name."""
    return {name: view(name, look) for name, look in looks.items()}


def show(drawing: Drawing, key: str, *, name: str = "") -> None:
    """A drawing but for its tables, from the top down; ``name`` is that of the pictures saved from it."""
    for warning in drawing.warnings:
        st.warning(warning, icon=":material/warning:")
    if drawing.numbers:
        with st.grid(4, min_column_width=145, key=f"numbers-{key}"):
            for number in drawing.numbers:
                st.metric(number.label, number.value, help=number.help or None)
    for place, drawn in enumerate(drawing.charts):
        chart(drawn, f"chart-{key}-{place}" if place else f"chart-{key}", name=name)
    for note in drawing.notes:
        st.caption(note)


def _take(name: str, look: Look, params: Checked, drawing: Drawing, key: str) -> None:
    """What a learner may take along: a link to these values, the numbers, the code."""
    with st.expander("Поделиться и забрать", icon=":material/ios_share:", key=f"{key}-take"):
        where = address(name, params)
        short = sum(map(len, where.values())) <= LONGEST_LINK
        if short:
            links.go("Этот расчёт по ссылке", links.DEMO, where, icon=":material/link:")
        else:
            st.caption("Столько текста ссылкой не передать: сохраните его файлом.")
        with st.container(horizontal=True):
            for place, shown in enumerate(drawing.tables):
                st.download_button(
                    f"{shown.title} (CSV)",
                    partial(csv, shown),  # made when it is asked for, not at every touch of a field
                    f"{name}-{place + 1}.csv",
                    "text/csv",
                    key=f"{key}-csv-{place}",
                    on_click="ignore",
                    icon=":material/download:",
                )
        if drawing.charts:
            st.caption(f"«{SAVE}» — значок фотоаппарата в углу рисунка.")
        if look.code is not None:
            st.markdown("**То же самое самими библиотеками:**")
            st.code(look.code(params), language="python")
        if short:
            st.markdown("**Тот же расчёт в блокноте** — из папки курса:")
            st.code(notebook(name, params), language="python")


def address(name: str, params: Checked) -> dict[str, str]:
    """Query of the demo's page at these values: what differs from its own."""
    return {"name": name, **{field: _plain(value) for field, value in changed(name, params).items()}}


def changed(name: str, params: Checked) -> dict[str, Any]:
    """The values that differ from the demo's own."""
    values = {item.name: (getattr(params, item.name), item.default) for item in registry.describe_fields(name)}
    return {field: value for field, (value, default) in values.items() if value != default}


def notebook(name: str, params: Checked) -> str:
    """Code that computes the same in a notebook started in the course's folder."""
    arguments = ", ".join(f'"{field}": {value!r}' for field, value in changed(name, params).items())
    return f'from demos import registry\n\nresult = registry.call("{name}", {{{arguments}}})\nresult'


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _guessed(name: str, look: Look, ask: Prediction, key: str) -> bool:
    """Whether the demo may be shown: the guess was made or skipped. Just made, it is answered first."""
    kept = guesses.recall(name)
    if kept is None:
        _ask(name, ask, key)
        return False
    if kept.fresh:
        _tell(name, look, ask, kept.option)
    return True


def _ask(name: str, ask: Prediction, key: str) -> None:
    st.markdown(f"**Сначала угадайте.** {ask.question}")
    with st.container(horizontal=True, key=f"{key}-guess"):
        for place, option in enumerate(ask.options):
            st.button(option, key=f"{key}-guess-{place}", on_click=guesses.keep, args=(name, place), wrap=True)
        st.button("Пропустить", key=f"{key}-guess-skip", type="tertiary", on_click=guesses.keep, args=(name, None))


def _tell(name: str, look: Look, ask: Prediction, option: int | None) -> None:
    if option is None or option >= len(ask.options):
        return
    try:
        result, _ = _waited(name, look, registry.params(name, {}))
    except (ParamsError, compute.ComputeError) as problem:
        st.caption(f"Ответ пока не посчитан. {problem}")
        return
    if ask.right(result) == option:
        st.success(f"Точно. {ask.tell(result)}", icon=":material/check_circle:")
    else:
        st.info(f"Вы сказали «{ask.options[option]}». {ask.tell(result)}", icon=":material/lightbulb:")
