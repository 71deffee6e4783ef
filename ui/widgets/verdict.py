"""A verdict as the learner reads it: one sentence, points, a card per check. Leaves out who may see it (the pages).

Everything that the learner's code wrote goes through ``st.code``, which shows text and never markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from common import numbers
from common.numbers import plural
from graders.protocol import Check, Outcome, Trial, Verdict
from ui.widgets.safe import plain

TITLES = {
    Outcome.PASSED: "Верно",
    Outcome.PARTIAL: "Верно частично",
    Outcome.FAILED: "Пока неверно",
    Outcome.NOT_ATTEMPTED: "Решения ещё нет",
    Outcome.TIMEOUT: "Не уложилось во время",
    Outcome.MEMORY: "Не хватило памяти",
    Outcome.CRASHED: "Программа оборвалась",
    Outcome.FORBIDDEN: "Запрещённое действие",
    Outcome.PROTOCOL: "Решение ответило не по правилам",
    Outcome.INVALID_FILE: "Файл не подошёл",
    Outcome.INFRA_ERROR: "Сбой на нашей стороне",
}
"""What each outcome is called on screen."""


def points(earned: float, possible: float) -> str:
    """``3 из 5 баллов``."""
    whole = float(possible).is_integer()
    last = numbers.word(int(possible), "балла", "баллов", "баллов") if whole else "балла"
    return f"{numbers.decimal(earned, _digits(earned))} из {numbers.decimal(possible, _digits(possible))} {last}"


def show_verdict(verdict: Verdict, sentences: Mapping[str, str]) -> None:
    """Draw a verdict. ``sentences`` maps a misconception's id to the sentence that answers it."""
    _headline(verdict)
    show_notices(verdict.notices)
    if verdict.traceback:
        st.caption("Где остановился ваш код:")
        st.code(verdict.traceback, language=None)
    failed = [check for check in verdict.checks if check.outcome is not Outcome.PASSED]
    for check in failed:
        _failed(check, sentences)
    passed = [check for check in verdict.checks if check.outcome is Outcome.PASSED]
    _passed(passed)
    _printed(verdict, passed)


def show_trial(trial: Trial) -> None:
    """Draw what «Запустить» found: value, output, the learner's own traceback."""
    if trial.outcome is Outcome.PASSED:
        st.markdown(f"**Код выполнился** за {numbers.duration(trial.seconds)}. Попытка не засчитана.")
    else:
        st.warning(plain(trial.message) or TITLES[trial.outcome], icon=":material/error:")
    show_notices(trial.notices)
    if trial.value:
        st.caption("Значение:")
        st.code(trial.value, language="python")
    if trial.output:
        st.caption("Вывод:")
        _text(trial.output)
    if trial.traceback:
        st.caption("Где остановился ваш код:")
        st.code(trial.traceback, language=None)


def show_notices(notices: Sequence[str]) -> None:
    """What was noticed about the file: it costs nothing and may explain much."""
    if notices:
        st.info("  \n".join(plain(notice) for notice in notices), icon=":material/visibility:")


def _headline(verdict: Verdict) -> None:
    text = f"**{TITLES[verdict.outcome]}.** {plain(verdict.message)}"
    if verdict.checks:
        passed = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
        counted = plural(len(verdict.checks), "проверки", "проверок", "проверок")
        text += f"  \n{points(verdict.points, verdict.possible)} · пройдено {passed} из {counted}"
    if verdict.outcome is Outcome.PASSED:
        st.success(text, icon=":material/check_circle:")
    elif verdict.outcome is Outcome.PARTIAL:
        st.warning(text, icon=":material/pending:")
    elif verdict.outcome is Outcome.INFRA_ERROR:
        st.warning(f"{text}  \nПопытка не засчитана, отправьте ещё раз.", icon=":material/construction:")
    elif verdict.outcome in {Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE}:
        st.info(f"{text}  \nПопытка не засчитана.", icon=":material/info:")
    else:
        st.error(text, icon=":material/error:")


def _failed(check: Check, sentences: Mapping[str, str]) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(f":red[:material/cancel:] **{check.title}** :gray[— {points(check.earned, check.points)}]")
        st.markdown(plain(check.message) or TITLES[check.outcome])
        _compare(check)
        said = sentences.get(check.misconception, "")
        if said:
            st.markdown(f":material/lightbulb: {said}")
        if check.hint:
            st.caption(f"Подсказка: {plain(check.hint)}")
        if check.traceback:
            st.code(check.traceback, language=None)
        if check.output:
            st.caption("Что напечатал ваш код в этой проверке:")
            _text(check.output)


def _passed(checks: Sequence[Check]) -> None:
    """What is right already takes little room: one line each."""
    if checks:
        with st.container(border=True, gap="xsmall"):
            for check in checks:
                st.markdown(
                    f":green[:material/check_circle:] {check.title} :gray[— {points(check.earned, check.points)}]"
                )


def _printed(verdict: Verdict, passed: Sequence[Check]) -> None:
    """What was printed outside the failed checks; those show their own part themselves."""
    parts = [("При загрузке файла:", verdict.output)] if verdict.output else []
    parts += [(f"Проверка «{check.title}»:", check.output) for check in passed if check.output]
    if parts:
        with st.expander("Что напечатал ваш код"):
            for title, text in parts:
                st.caption(title)
                _text(text)


def _text(text: str) -> None:
    """What the learner's code wrote: shown as it is, never as markup."""
    st.code(text, language=None, height=_height(text))


def _compare(check: Check) -> None:
    if not (check.expected or check.got):
        return
    expected, got = st.columns(2)
    with expected:
        st.caption("Ожидалось")
        st.code(check.expected or "—", language=None, wrap_lines=True)
    with got:
        st.caption("Получено")
        st.code(check.got or "—", language=None, wrap_lines=True)


def _height(text: str) -> int | None:
    return 300 if text.count("\n") > 14 else None


def _digits(value: float) -> int:
    return 0 if float(value).is_integer() else 1
