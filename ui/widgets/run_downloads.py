"""Files of a run to keep: the recipe, what came out, the curve, the adapter. Leaves out what is in an adapter."""

from __future__ import annotations

import streamlit as st

from common import numbers
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from progress import run_files
from ui import links, run_view, session
from ui.runs import Run


def downloads(run: Run, spec: RunSpec, story: Story) -> None:
    """One button for each file. The adapter is packed when it is asked for."""
    st.subheader("Файлы", anchor="files")
    with st.container(horizontal=True, vertical_alignment="center", key="run-files"):
        _button(run, "Рецепт", "recipe.json", run_view.spec_file(spec), "application/json")
        if story.over:
            _button(run, "Результат", "result.json", run_view.result_file(spec, story), "application/json")
        if story.steps:
            _button(run, "Кривая", "curve.csv", run_view.curve_csv(story), "text/csv")
        _adapter(run, spec)


def _adapter(run: Run, spec: RunSpec) -> None:
    sizes = run_files.sizes(session.database(), run.id)
    if not sizes:
        return
    database, number = session.database(), run.id
    if spec.method not in {"full", "none"}:
        links.go("Открыть адаптер", links.ADAPTERS, {"run": str(run.id)}, icon=":material/extension:")
    what = "Модель" if spec.method == "full" else "Адаптер"
    st.download_button(
        f"{what}, {numbers.size(sum(sizes.values()))}",
        lambda: run_view.archive(run_files.contents(database, number)),
        file_name=f"run-{run.id}-{'model' if spec.method == 'full' else 'adapter'}.zip",
        mime="application/zip",
        key="download-adapter",
        icon=":material/download:",
        on_click="ignore",
    )


def _button(run: Run, label: str, name: str, content: bytes, mime: str) -> None:
    st.download_button(
        label,
        content,
        file_name=f"run-{run.id}-{name}",
        mime=mime,
        key=f"download-{name}",
        icon=":material/download:",
        on_click="ignore",
    )
