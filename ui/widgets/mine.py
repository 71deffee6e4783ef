"""The learner's own adapter in a lesson: the same one opened, shrunk, merged and taken along, routed, lesson by lesson.

Who has none yet works with the course's, made by the same recipe. Leaves out what the steps show (``adapter_file``,
``adapter_shrink``, ``adapter_merge``, ``adapter_ask``) and the page of all adapters.
"""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Description
from jobs import compute
from lessons.model import Block, Lesson, MineRef, MineView, Piece, RunRef
from ui import adapters, links, session
from ui.adapters import Source
from ui.widgets import adapter_ask, adapter_file, adapter_merge, adapter_shrink
from ui.widgets.safe import plain

STAND_IN, RECIPE = "json-nf4", "qlora"
"""The course's adapter for those who have none, and the run by which a lesson lets them make one of that kind."""
CHOSEN, SELECT = "mine-chosen", "mine-select"
"""The choice as the tab remembers it, and the box: what a box holds is forgotten where it is not shown."""
_STEPS: dict[MineView, str] = {
    "open": "откройте его",
    "shrink": "сожмите его",
    "merge": "слейте его и заберите с собой",
    "route": "отдайте его маршрутизатору",
}


def mine(view: MineView, key: str) -> None:
    """One step with the adapter that goes with the learner."""
    with st.container(border=True, key=f"mine-{key}"):
        source = _choose()
        try:
            name, described = adapters.look(source)
        except compute.ComputeError as problem:
            adapter_ask.away(str(problem), f"mine-{key}")
            return
        except AdapterError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
        else:
            _show(view, name, source, described)
        _next(view)


def _choose() -> Source:
    own, stand_in = adapters.sources(), adapters.course(STAND_IN)
    if not own:
        st.markdown(f":material/extension: **{stand_in.title}**")
        st.caption("Своего у вас ещё нет: пока возьмём этот, обученный по тому же рецепту, r = 4.")
        _where_made()
        return stand_in
    known = own | {stand_in.id: stand_in}
    if session.recall(SELECT, "") not in known:
        kept = session.recall(CHOSEN, "")
        session.remember(SELECT, kept if kept in known else next(iter(known)))
    chosen = st.selectbox("Ваш адаптер", list(known), format_func=lambda name: known[name].title, key=SELECT)
    session.remember(CHOSEN, chosen)
    return known[chosen]


def _where_made() -> None:
    """A link to the last place before the adapter's way where one of this kind is trained."""
    found: tuple[Lesson, Block] | None = None
    for lesson, block, piece in _pieces():
        if isinstance(piece, MineRef):
            break
        if isinstance(piece, RunRef) and piece.name == RECIPE:
            found = lesson, block
    if found is not None:
        lesson, block = found
        title = f"Сделать свой — урок {lesson.number}, «{block.title}»"
        links.go(title, links.LESSON, links.lesson(lesson.id, block.id), icon=":material/model_training:")


def _pieces() -> Iterator[tuple[Lesson, Block, Piece]]:
    for lesson in session.course().lessons:
        for block in lesson.blocks:
            yield from ((lesson, block, piece) for piece in block.pieces)


def _show(view: MineView, name: str, source: Source, described: Description) -> None:
    match view:
        case "open":
            adapter_file.show(described, source.id)
            adapter_shrink.directions(name)
        case "shrink":
            adapter_shrink.show(name, source, described, _go_on)
        case "merge":
            adapter_merge.compare(name, source)
            st.markdown("**Забрать с собой**")
            adapter_merge.take(name, source)
        case "route":
            _among_others(name, source)


def _go_on(source: Source) -> None:
    session.remember(SELECT, source.id)


def _among_others(name: str, source: Source) -> None:
    """Beside two of the course's adapters for other tasks: enough for a router to choose from."""
    others = [adapters.course(one) for one, spec in shipped.SPECS.items() if spec.task != source.task]
    adapter_ask.show({name: source} | {adapters.keep(one): one for one in others[: adapters.MOST - 1]})


def _next(view: MineView) -> None:
    """A link to the next step of the adapter's way, in a block of its own."""
    steps = [(piece.view, lesson, block) for lesson, block, piece in _pieces() if isinstance(piece, MineRef)]
    place = next((n for n, (step, _, _) in enumerate(steps, 1) if step == view), len(steps))
    if place < len(steps):
        step, lesson, block = steps[place]
        links.go(
            f"Дальше — урок {lesson.number}: {_STEPS[step]}",
            links.LESSON,
            links.lesson(lesson.id, block.id),
            icon=":material/arrow_forward:",
        )
