"""For instructors: solutions of an exercise that are alike, by pairs, with both codes side by side.

Computed when asked for, from the best submission of each learner. Leaves out how likeness is measured
(``graders.similarity``) and any judgement: a pair is a reason to talk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st

from common import numbers
from graders import submission
from graders.aside import Broken
from graders.exercise import Exercise
from graders.similarity import CannotCompare, Comparison, Pair
from progress import learning, submissions
from progress.roster import Attempt, Person, Work
from ui import resources, session
from ui.widgets.safe import plain

SHOWN = 12
"""Pairs listed. Whoever sees a dozen has enough to talk about; the rest are counted."""
CODE_HEIGHT = 480
ALMOST_SAME, VERY_ALIKE = 0.95, 0.8
LEAD = (
    "Сравниваем лучшие решения по устройству кода: имена, комментарии, тексты и порядок функций не важны, "
    "код заготовки вычтен. Похожесть — повод поговорить, а не приговор."
)
NORMAL = "Задание короткое: верные решения здесь похожи сами по себе, и высокая похожесть почти ничего не значит."


@dataclass(frozen=True, slots=True)
class Entry:
    """The best solution of one learner, as text."""

    person: Person
    attempt: Attempt
    text: str

    @property
    def name(self) -> str:
        """The learner as the page calls them."""
        return f"{self.person.name} (пример)" if self.person.sample else self.person.name


@st.fragment(key="similar")
def show(works: Sequence[Work], exercises: Mapping[str, Exercise]) -> None:
    """The choice of an exercise, the button, and what was found."""
    st.subheader("Похожие решения", anchor="similar")
    st.caption(LEAD)
    solved = {slug: sum(_best(work, slug) is not None for work in works) for slug in exercises}
    tasks = {slug: exercise.title for slug, exercise in exercises.items() if solved[slug] > 1}
    if not tasks:
        st.caption("Сравнивать пока нечего: нужно хотя бы два проверенных решения одного задания.")
        return
    slug = st.selectbox("Задание", list(tasks), format_func=lambda one: tasks.get(one, one), key="similar-exercise")
    asked = f"similar:{slug}"
    if st.button("Сравнить решения", icon=":material/difference:"):
        session.remember(asked, True)
    if session.recall(asked, False):
        _compare(exercises[slug], works)


def _compare(exercise: Exercise, works: Sequence[Work]) -> None:
    try:
        with st.spinner("Сравниваю решения…"):
            entries = _entries(exercise, works)
            found = resources.likeness(exercise.starter, tuple(entry.text for entry in entries))
    except CannotCompare as problem:
        st.error(str(problem), icon=":material/error:")
        return
    _summary(found, entries)
    if found.pairs:
        _list(found.pairs, entries)
        _side_by_side(found.pairs[:SHOWN], entries)


def _best(work: Work, slug: str) -> Attempt | None:
    """The learner's submission with the most points; of equals the latest."""
    best: Attempt | None = None
    most = -1.0
    for one in work.attempts:
        found = one.verdict if one.exercise == slug else None
        if found is not None and found.outcome.counts and found.points >= most:
            best, most = one, found.points
    return best


def _entries(exercise: Exercise, works: Sequence[Work]) -> list[Entry]:
    best = [(work.person, attempt) for work in works if (attempt := _best(work, exercise.slug))]
    files = submissions.files(session.database(), session.actor(), [attempt.id for _, attempt in best])
    return [Entry(person, attempt, _text(*files[attempt.id])) for person, attempt in best if attempt.id in files]


def _text(source: bytes, filename: str) -> str:
    try:
        return submission.read(source, filename).text
    except (submission.InvalidFile, Broken):  # graded once, so it was readable then: shown as it is
        return learning.to_text(source)


def _summary(found: Comparison, entries: Sequence[Entry]) -> None:
    compared = numbers.plural(len(entries), "решение", "решения", "решений")
    pairs = numbers.plural(len(found.pairs), "похожая пара", "похожие пары", "похожих пар")
    text = f"Сравнили {compared}: {pairs}." if found.pairs else f"Сравнили {compared}: похожих пар нет."
    st.info(text, icon=":material/difference:")
    if found.short:
        st.caption(NORMAL)
    if found.unread:
        names = ", ".join(plain(entries[number].name) for number in found.unread)
        st.caption(f"Не разобрано, посмотрите сами: {names}.")


def _list(pairs: Sequence[Pair], entries: Sequence[Entry]) -> None:
    rows = (
        f"{number}. {_link(entries[pair.left])} и {_link(entries[pair.right])} — {words(pair.score)}, {_percent(pair)}"
        for number, pair in enumerate(pairs[:SHOWN], start=1)
    )
    st.markdown("\n".join(rows))
    if len(pairs) > SHOWN:
        st.caption(f"Здесь {SHOWN} самых похожих пар из {numbers.integer(len(pairs))}.")


def _side_by_side(pairs: Sequence[Pair], entries: Sequence[Entry]) -> None:
    labels = {
        f"{number}. {entries[pair.left].name} и {entries[pair.right].name}, {_percent(pair)}": pair
        for number, pair in enumerate(pairs, start=1)
    }
    chosen = labels[st.selectbox("Показать код пары", list(labels), key="similar-pair")]
    for column, entry in zip(st.columns(2), (entries[chosen.left], entries[chosen.right]), strict=True):
        with column:
            st.markdown(f"**{plain(entry.name)}** :gray[попытка {entry.attempt.number}, {_when(entry)}]")
            st.code(entry.text, language="python", height=CODE_HEIGHT, wrap_lines=True)


def words(score: float) -> str:
    """A score in words."""
    if score >= ALMOST_SAME:
        return "почти одинаковые"
    return "очень похожи" if score >= VERY_ALIKE else "похожи"


def _percent(pair: Pair) -> str:
    return numbers.percent(pair.score, 0)


def _when(entry: Entry) -> str:
    return f"{entry.attempt.created.astimezone():%d.%m %H:%M}"


def _link(entry: Entry) -> str:
    return f"[{plain(entry.name)}](/learner?id={quote(entry.person.id)})"
