"""What a finished run changed and what it cost: exact match, examples one by one, old skills, the adapter off, files.

Leaves out the run while it goes (``run_live``) and every number's making (``demos.finetuning``).
"""

from __future__ import annotations

import streamlit as st

from charts.retention import retention
from common import numbers
from demos.finetuning.elsewhere import same_recipe
from demos.finetuning.events import Answer, Finished, Started
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from demos.params import ParamsError
from ui import run_view
from ui.widgets.chart import chart as show_chart
from ui.widgets.safe import cell, plain

PAGE = 5
"""Examples shown at a time."""


def changed(end: Finished, key: str) -> None:
    """«Что изменилось»: the two scores, the test in words."""
    with st.grid(2, min_column_width=200, key=f"scores-{key}"):
        st.metric("Точных ответов до", run_view.share(end.before))
        st.metric("Точных ответов после", run_view.share(end.after))
    st.caption(
        f"До: {run_view.interval(end.before)}. После: {run_view.interval(end.after)}. "
        "Границы — 95-процентный интервал Уилсона; примеры отложенные, при обучении их не было."
    )
    st.markdown(run_view.verdict(end))


def old_skills(end: Finished, key: str) -> None:
    """What became of what the base could do."""
    if not end.retention:
        return
    chart = retention(end.retention)
    show_chart(chart, f"retention-{key}")


def adapter_off(end: Finished, spec: RunSpec) -> None:
    """Whether the base is still there under the adapter."""
    st.markdown(run_view.switch_off(end, spec))


@st.fragment
def answers(end: Finished, key: str) -> None:
    """Examples one by one: what was asked, what is right, what was said before and after."""
    counted = {kind: len(run_view.examples(end.answers, kind)) for kind in run_view.KINDS}
    kinds = [kind for kind in run_view.KINDS if counted[kind]]
    if not kinds:
        return
    chosen = st.segmented_control(
        "Примеры, которые",
        kinds,
        default=kinds[0],
        required=True,
        key=f"answers-{key}",
        format_func=lambda kind: f"{run_view.KINDS[kind]} · {counted[kind]}",
    )
    found = run_view.examples(end.answers, chosen or kinds[0])
    pages = -(-len(found) // PAGE)
    page = st.pagination(pages, key=f"answers-page-{key}-{chosen}") if pages > 1 else 1
    for one in found[PAGE * (page - 1) : PAGE * page]:
        st.markdown(_card(one))


def _card(one: Answer) -> str:
    """One example as a small table: four columns of long answers would be too narrow for a phone."""
    return (
        f"| спросили | {cell(one.prompt)} |\n|---|---|\n| верно | {cell(one.right)} |\n"
        f"| до | {_said(one.before, one.right)} |\n| после | {_said(one.after, one.right)} |"
    )


def _said(text: str, right: str) -> str:
    if text == right:
        return ":green[✓ верно]"
    return f":red[✗] {cell(text) or '(пусто)'}"


def cost(spec: RunSpec, story: Story) -> None:
    """«Чего это стоило»: here, and the same recipe on a large model."""
    try:
        there = same_recipe(spec)
    except ParamsError as problem:
        st.markdown(run_view.side_by_side([("здесь", story)]))
        st.caption(f"Что было бы на большой модели, посчитать нельзя. {plain(str(problem))}")
        return
    rows = (f"| {row.title} | {row.here} | {row.there} |" for row in run_view.costs(story, there))
    st.markdown("\n".join([f"| | здесь | тот же рецепт на {there.title} |", "|---|--:|--:|", *rows]))
    st.markdown(there.note)
    st.caption(there.assumption)


def preflight(begun: Started) -> None:
    """What was checked before the first step."""
    with st.expander("Что проверено до первого шага", icon=":material/checklist:"):
        trained = numbers.percent(begun.trained_tokens / begun.all_tokens if begun.all_tokens else 0, 0)
        st.markdown(
            f"- Обучающих примеров: {numbers.integer(begun.train_examples)}. В потери входит {trained} токенов — "
            "только ответы помощника.\n"
            f"- Потери первого шага — {numbers.decimal(begun.first_loss, 3)}, у базы на тех же примерах — "
            f"{numbers.decimal(begun.base_loss, 3)}.\n"
            f"- Несколько шагов на одной порции примеров довели потери до {numbers.decimal(begun.overfit_loss, 3)}: "
            "обучение способно запоминать.\n"
            f"- Обучаются слои: {', '.join(plain(name) for name in begun.layers) or 'все'}."
        )
        st.caption("Пример глазами модели. Учится она только тому, что стоит между ‹ и ›:")
        st.code(begun.label, language=None, wrap_lines=True)
