"""A verdict as the learner reads it: one sentence, points, a card per check. Leaves out who may see it (the pages).

Everything that the learner's code wrote goes through ``st.code``, which shows text and never markup.
"""

from __future__ import annotations

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

_MARKS = {Outcome.PASSED: ":material/check_circle:", Outcome.INFRA_ERROR: ":material/construction:"}


def points(earned: float, possible: float) -> str:
    """``3 из 5 баллов``."""
    whole = float(possible).is_integer()
    last = numbers.word(int(possible), "балла", "баллов", "баллов") if whole else "балла"
    return f"{numbers.decimal(earned, _digits(earned))} из {numbers.decimal(possible, _digits(possible))} {last}"


def show_verdict(verdict: Verdict, sentences: dict[str, str]) -> None:
    """Draw a verdict. ``sentences`` maps a misconception's id to the sentence that answers it."""
    _headline(verdict)
    if verdict.traceback:
        st.caption("Где остановился ваш код:")
        st.code(verdict.traceback, language=None)
    for check in verdict.checks:
        _check(check, sentences)
    if verdict.output:
        with st.expander("Что напечатал ваш код"):
            st.code(verdict.output, language=None, height=_height(verdict.output))


def show_trial(trial: Trial) -> None:
    """Draw what «Запустить» found: value, output, the learner's own traceback."""
    if trial.outcome is Outcome.PASSED:
        st.markdown(f"**Код выполнился** за {numbers.duration(trial.seconds)}. Попытка не засчитана.")
    else:
        st.warning(plain(trial.message) or TITLES[trial.outcome], icon=":material/error:")
    if trial.value:
        st.caption("Значение:")
        st.code(trial.value, language="python")
    if trial.output:
        st.caption("Вывод:")
        st.code(trial.output, language=None, height=_height(trial.output))
    if trial.traceback:
        st.caption("Где остановился ваш код:")
        st.code(trial.traceback, language=None)


def _headline(verdict: Verdict) -> None:
    text = f"**{TITLES[verdict.outcome]}.** {plain(verdict.message)}"
    if verdict.checks:
        passed = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
        counted = plural(len(verdict.checks), "проверки", "проверок", "проверок")
        text += f"  \n{points(verdict.points, verdict.possible)} · пройдено {passed} из {counted}"
    if verdict.outcome is Outcome.PASSED:
        st.success(text, icon=":material/check_circle:")
    elif verdict.outcome is Outcome.INFRA_ERROR:
        st.warning(f"{text}  \nПопытка не засчитана, отправьте ещё раз.", icon=":material/construction:")
    elif verdict.outcome in {Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE}:
        st.info(f"{text}  \nПопытка не засчитана.", icon=":material/info:")
    else:
        st.error(text, icon=":material/error:")


def _check(check: Check, sentences: dict[str, str]) -> None:
    good = check.outcome is Outcome.PASSED
    with st.container(border=True):
        mark = _MARKS.get(check.outcome, ":material/cancel:")
        colour = "green" if good else "red"
        st.markdown(f":{colour}[{mark}] **{check.title}** — {points(check.earned, check.points)}")
        if good:
            return
        st.markdown(plain(check.message) or TITLES[check.outcome])
        _compare(check)
        said = sentences.get(check.misconception, "")
        if said:
            st.markdown(f":material/lightbulb: {said}")
        if check.hint:
            st.caption(f"Подсказка: {plain(check.hint)}")
        if check.traceback:
            st.code(check.traceback, language=None)


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
