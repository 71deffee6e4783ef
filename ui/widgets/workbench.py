"""The workbench of an exercise: editor, a call to try, the run's answer, the submission's live state and its verdict.

One fragment: a click reruns this part only. Leaves out the history of attempts (``ui.widgets.attempts``).
"""

from __future__ import annotations

import streamlit as st

from common import numbers
from graders import submission as files
from graders.aside import Broken
from graders.exercise import Exercise
from progress import learning, submissions, trials
from progress.database import DatabaseFault
from ui import session
from ui.widgets import attempts, editor, verdict
from ui.widgets.editor import Pressed, Text
from ui.widgets.safe import plain

POLL_SECONDS = 0.4
PATIENCE_SECONDS = 15.0
"""After this long without a worker the page says that nobody is grading."""


@st.fragment(key="workbench")
def show(exercise: Exercise) -> None:
    """The editor and everything that answers it."""
    st.subheader("Ваш код")
    pressed = _editor(exercise)
    if pressed is None:
        verdict.show_notices(session.recall(_noticed(exercise), ()))
    call = _call(exercise)
    try:
        _act(exercise, pressed, call)
    except (DatabaseFault, submissions.Rejected) as problem:
        st.error(f"{problem} Текст в редакторе цел.", icon=":material/error:")
    _answers(exercise)
    _hints(exercise)


def _editor(exercise: Exercise) -> Pressed | None:
    draft = learning.draft(session.database(), session.actor(), exercise.slug)
    version = session.recall(_version(exercise), 0)
    text = Text(
        exercise.slug,
        exercise.title,
        source=draft.source if draft else exercise.starter,
        starter=exercise.starter,
        revision=draft.revision if draft else 0,
    )
    busy = attempts.pending(exercise) is not None
    if not st.toggle("Простое поле вместо редактора", key=f"plain-{exercise.slug}"):
        return editor.rich(text, busy=busy, version=version)
    _store(exercise, editor.plain_text(text, version))
    return editor.plain(text, busy=busy, version=version)


def _call(exercise: Exercise) -> str:
    return st.text_input(
        "Что вызвать по кнопке «Запустить»",
        value=exercise.example,
        key=f"call-{exercise.slug}",
        help="Любое выражение на Python: ваши функции и то, что дано в условии. Попытки не тратятся.",
    )


def _act(exercise: Exercise, pressed: Pressed | None, call: str) -> None:
    if pressed is None:
        return
    session.forget(_repeated(exercise))
    session.forget(_noticed(exercise))
    if pressed.press == "upload":
        _take(exercise, pressed)
        return
    database, actor, source = session.database(), session.actor(), pressed.source.encode()
    _store(exercise, pressed.source)
    if pressed.press == "run":
        number = trials.create_trial(database, actor, exercise.slug, source, call)
        session.queue().trial(number)
    else:
        sent = submissions.submit(database, actor, exercise.slug, source, "solution.py", version=exercise.version)
        if sent.state == "done":
            session.remember(_repeated(exercise), sent.id)
        else:
            session.queue().grade(sent.id)
    st.rerun()


def _take(exercise: Exercise, pressed: Pressed) -> None:
    """Put an uploaded file into the editor; a notebook becomes one text that keeps its cells."""
    try:
        with st.spinner("Читаю файл…"):
            sent = _read(pressed)
    except (files.InvalidFile, Broken) as problem:
        said = problem if isinstance(problem, files.InvalidFile) else "Сбой на нашей стороне, попробуйте ещё раз."
        st.error(plain(f"Файл не загружен. {said}"), icon=":material/error:")
        return
    _store(exercise, sent.text, force=True)
    session.remember(_version(exercise), session.recall(_version(exercise), 0) + 1)
    session.remember(_noticed(exercise), sent.notices)
    st.toast("Файл загружен в редактор. Проверьте его и отправьте.", icon=":material/upload_file:")
    st.rerun()


def _read(pressed: Pressed) -> files.Submission:
    sent = files.read(pressed.content, pressed.filename)
    if not sent.text.strip():
        raise files.InvalidFile("Файл пуст: в редакторе остался прежний текст.")
    return sent


def _store(exercise: Exercise, source: str, *, force: bool = False) -> None:
    database, actor = session.database(), session.actor()
    known = learning.draft(database, actor, exercise.slug)
    if force or source != (known.source if known else exercise.starter):
        learning.save_draft(database, actor, exercise.slug, source, revision=known.revision if known else 0)


def _answers(exercise: Exercise) -> None:
    busy = _under_way(exercise)
    st.fragment(_live, run_every=POLL_SECONDS if busy else None)(exercise, busy=busy)


def _live(exercise: Exercise, *, busy: bool) -> None:
    """Polls while something is under way; when it is over, the page is drawn once more and polling stops."""
    if busy and not _under_way(exercise):
        st.rerun()
    waiting, trial = attempts.pending(exercise), _shown_trial(exercise)
    if waiting is not None:
        _waiting(waiting)
    elif repeated := session.recall(_repeated(exercise), 0):
        attempts.repeated(repeated)
    elif trial is None:
        attempts.latest(exercise)
    elif trial.result is None:
        st.status("Запускаю ваш код…", state="running")
    else:
        verdict.show_trial(trial.result)


def _under_way(exercise: Exercise) -> bool:
    trial = _shown_trial(exercise)
    return attempts.pending(exercise) is not None or (trial is not None and trial.result is None)


def _shown_trial(exercise: Exercise) -> trials.StoredTrial | None:
    """The trial whose answer is on the screen: the last one, unless a submission came after it."""
    trial = trials.last_trial(session.database(), session.actor(), exercise.slug)
    newest = attempts.newest(exercise)
    return None if trial is None or (newest is not None and newest.created > trial.created) else trial


def _waiting(sent: submissions.Submission) -> None:
    place = session.queue().place(sent.id)
    waited = attempts.age(sent)
    if place is not None and place.position > 1:
        expected = numbers.duration(place.expected_seconds)
        st.status(f"В очереди: {place.position}-е место, ждать около {expected}.", state="running")
    elif waited > PATIENCE_SECONDS:
        st.warning(
            "Проверка ещё не закончена. Работа сохранена и будет проверена, как только освободится "
            "проверяющий процесс. Страницу можно закрыть.",
            icon=":material/hourglass_top:",
        )
    else:
        st.status(f"Проверяю… {numbers.duration(waited)}", state="running")


def _hints(exercise: Exercise) -> None:
    if not exercise.hints:
        return
    database, actor = session.database(), session.actor()
    opened = max(learning.hints(database, actor, exercise.slug), default=0)
    for number, hint in enumerate(exercise.hints[:opened], start=1):
        with st.expander(f"Подсказка {number} из {len(exercise.hints)}", expanded=number == opened):
            st.markdown(hint)
    if opened < len(exercise.hints):
        left = "Открыть подсказку" if opened == 0 else "Ещё подсказка"
        st.button(left, icon=":material/lightbulb:", on_click=learning.hint_opened, key=f"hint-{exercise.slug}",
                  args=(database, actor, exercise.slug, opened + 1))  # fmt: skip
        st.caption("Подсказки открываются по одной. Баллы за них не снимаются, не стесняйтесь.")


def _repeated(exercise: Exercise) -> str:
    return f"repeated:{exercise.slug}"


def _version(exercise: Exercise) -> str:
    return f"editor-version:{exercise.slug}"


def _noticed(exercise: Exercise) -> str:
    """Where this tab keeps what was noticed about the uploaded file, until the next press of a button."""
    return f"upload-notices:{exercise.slug}"
