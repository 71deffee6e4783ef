"""One run: live while it goes, then what changed, what it cost, the code that ran, files. ``?id=12``, to be shared."""

from __future__ import annotations

import streamlit as st

from demos.finetuning.events import Finished
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from progress.submissions import Missing
from ui import links, look, run_view, runs, session
from ui.runs import Run
from ui.widgets import run_downloads, run_live, run_repeat, run_result
from ui.widgets.safe import cell


def _page() -> None:
    run = _run()
    if run is None:
        return
    look.title(run.title)
    links.go("Мои запуски", links.RUNS, icon=":material/arrow_back:")
    st.title(run.title, anchor=False)
    _head(run)
    run_live.live([run], "page", mine=run.mine or session.actor().instructor)
    story = runs.tell(run)
    if run.spec is not None and story.finished is not None:
        _result(run.spec, story, story.finished)
    if story.started is not None:
        run_result.preflight(story.started)
    if run.spec is not None:
        _recipe(run.spec)
        run_downloads.downloads(run, run.spec, story)
        run_repeat.again(run, run.spec)


def _head(run: Run) -> None:
    st.markdown(
        f"{run_view.badge(run.state)} :gray[№ {run.id} · {run.created.astimezone():%d.%m.%Y %H:%M}"
        f"{'' if run.mine else f' · {cell(run.author)}'}]"
    )
    if run.spec is not None:
        st.caption(run_view.facts(run.spec))


def _run() -> Run | None:
    asked = st.query_params.get("id", "")
    if not asked.isascii() or not asked.isdigit() or len(asked) > 12:
        links.lost("Такого запуска нет: возможно, адрес скопирован не целиком.")
        links.go("Мои запуски", links.RUNS, icon=":material/monitoring:")
        return None
    try:
        return runs.get(int(asked))
    except Missing as problem:
        links.lost(str(problem))
        links.go("Мои запуски", links.RUNS, icon=":material/monitoring:")
        return None


def _result(spec: RunSpec, story: Story, end: Finished) -> None:
    st.header("Что изменилось", anchor="changed")
    run_result.changed(end, "page")
    st.subheader("Ответ за ответом", anchor="answers")
    run_result.answers(end, "page")
    st.subheader("Старые умения и база под адаптером", anchor="kept")
    run_result.old_skills(end, "page")
    run_result.adapter_off(end, spec)
    st.header("Чего это стоило", anchor="cost")
    run_result.cost(spec, story)


def _recipe(spec: RunSpec) -> None:
    code = run_view.source(spec)
    if code:
        with st.expander("Код этого запуска", icon=":material/code:"):
            st.code(code, language="python")


_page()
