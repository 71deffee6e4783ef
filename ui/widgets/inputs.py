"""How each kind of question is answered: its widgets, what they hold, and a stored response shown again.

Choices do not rerun the page; the button that answers brings them. Leaves out buttons and feedback (``quiz``).
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from common import numbers
from lessons.model import Option, Question
from ui import session
from ui.answers import Response, shuffled

MISSING = {
    "single": "Сначала выберите вариант.",
    "predict": "Сначала выберите, что получится.",
    "spot": "Сначала выберите строку.",
    "several": "Сначала отметьте хотя бы один вариант.",
    "number": "Сначала введите число.",
    "order": "Сначала расставьте все шаги.",
    "match": "Сначала подберите пару каждому.",
}


def show(asked: Question, seed: str) -> None:
    """The widgets of a question. ``seed`` fixes the order of options for this learner."""
    _SHOW[asked.kind](asked, shuffled(asked.options, seed, asked.id))


def read(asked: Question) -> Response | None:
    """What the widgets hold, or None while something is missing."""
    return _READ[asked.kind](asked)


def clear(asked: Question) -> None:
    """Forget what no widget holds, so that another try starts afresh."""
    session.forget(_key(asked, "order"))


def review(asked: Question, given: Response) -> None:
    """A stored response, as it was given."""
    _REVIEW[asked.kind](asked, given)


def _key(asked: Question, part: object = "") -> str:
    return f"input-{asked.id}-{part}"


def _show_choice(asked: Question, options: list[Option]) -> None:
    st.radio(
        "Варианты",
        [option.text for option in options],
        index=None,
        key=_key(asked),
        on_change="ignore",
        label_visibility="collapsed",
    )


def _read_choice(asked: Question) -> Response | None:
    chosen = session.recall(_key(asked), "")
    return {"chosen": chosen} if chosen else None


def _review_choice(asked: Question, given: Response) -> None:
    option = next((option for option in asked.options if option.text == given.get("chosen")), None)
    _mark(str(given.get("chosen", "")), right=bool(option and option.right))


def _show_spot(asked: Question, _options: list[Option]) -> None:
    st.code(asked.code, line_numbers=True)
    lines = asked.code.splitlines()
    st.radio(
        "Строка с ошибкой",
        [option.text for option in asked.options],
        index=None,
        key=_key(asked),
        on_change="ignore",
        format_func=lambda number: _line(lines, number),
    )


def _review_spot(asked: Question, given: Response) -> None:
    st.code(asked.code, line_numbers=True)
    option = next((option for option in asked.options if option.text == given.get("chosen")), None)
    _mark(_line(asked.code.splitlines(), str(given.get("chosen", ""))), right=bool(option and option.right))


def _line(lines: list[str], number: str) -> str:
    if not number.isdigit() or not 0 < int(number) <= len(lines):
        return number
    return f"строка {number}: `{lines[int(number) - 1].strip()}`"


def _show_several(asked: Question, options: list[Option]) -> None:
    st.caption("Верных может быть несколько.")
    with st.container(gap="xsmall"):
        for option in options:
            st.checkbox(option.text, key=_key(asked, asked.options.index(option)), on_change="ignore")


def _read_several(asked: Question) -> Response | None:
    chosen = [option.text for i, option in enumerate(asked.options) if session.recall(_key(asked, i), default=False)]
    return {"chosen": chosen} if chosen else None


def _review_several(asked: Question, given: Response) -> None:
    rights = {option.text: option.right for option in asked.options}
    for text in given.get("chosen", ()):
        _mark(text, right=rights.get(text, False))


def _show_number(asked: Question, _options: list[Option]) -> None:
    st.text_input(
        f"Ваше число{f', {asked.unit}' if asked.unit else ''}",
        key=_key(asked),
        on_change="ignore",
        placeholder="например, 1 500 или 0,05",
        width=320,
    )


def _read_number(asked: Question) -> Response | None:
    typed = str(session.recall(_key(asked), "")).strip()
    return {"number": typed} if typed else None


def _review_number(asked: Question, given: Response) -> None:
    unit = f"{numbers.NBSP}{asked.unit}" if asked.unit else ""
    st.markdown(f"Ваше число: **{given.get('number', '')}**{unit}")


def _show_order(asked: Question, options: list[Option]) -> None:
    placed: list[str] = session.recall(_key(asked, "order"), [])
    st.caption("Нажимайте шаги по порядку. Нажмите на шаг с номером, чтобы убрать его.")
    with st.container(gap="xsmall", key=_key(asked, "placed")):
        for number, text in enumerate(placed, 1):
            st.button(
                f"**{number}.** {text}",
                key=_key(asked, f"placed{_index(asked, text)}"),
                type="tertiary",
                on_click=_unplace,
                args=(asked, text),
                icon=":material/undo:",
            )
    with st.container(gap="xsmall", key=_key(asked, "loose")):
        for option in options:
            if option.text not in placed:
                st.button(
                    option.text,
                    key=_key(asked, f"loose{_index(asked, option.text)}"),
                    wrap=True,
                    on_click=_place,
                    args=(asked, option.text),
                )


def _index(asked: Question, text: str) -> int:
    """Which option of the question has this text; -1 when none has."""
    return next((i for i, option in enumerate(asked.options) if option.text == text), -1)


def _place(asked: Question, text: str) -> None:
    session.remember(_key(asked, "order"), [*session.recall(_key(asked, "order"), []), text])


def _unplace(asked: Question, text: str) -> None:
    placed: list[str] = session.recall(_key(asked, "order"), [])
    session.remember(_key(asked, "order"), [other for other in placed if other != text])


def _read_order(asked: Question) -> Response | None:
    placed: list[str] = session.recall(_key(asked, "order"), [])
    return {"order": placed} if len(placed) == len(asked.options) else None


def _review_order(asked: Question, given: Response) -> None:
    wanted = [option.text for option in asked.options]
    for i, text in enumerate(given.get("order", ())):
        _mark(f"{i + 1}. {text}", right=i < len(wanted) and wanted[i] == text)


def _show_match(asked: Question, options: list[Option]) -> None:
    pairs = shuffled(sorted({option.pair for option in asked.options}), asked.id, "pairs")
    for option in options:
        st.pills(option.text, pairs, key=_key(asked, asked.options.index(option)), on_change="ignore", wrap=True)


def _read_match(asked: Question) -> Response | None:
    chosen = {option.text: session.recall(_key(asked, i), "") for i, option in enumerate(asked.options)}
    return {"pairs": chosen} if all(chosen.values()) else None


def _review_match(asked: Question, given: Response) -> None:
    pairs = given.get("pairs", {})
    for option in asked.options:
        _mark(f"{option.text} → {pairs.get(option.text, '—')}", right=pairs.get(option.text) == option.pair)


def _mark(text: str, *, right: bool) -> None:
    icon = ":green[:material/check:]" if right else ":red[:material/close:]"
    st.markdown(f"{icon} {text}")


_SHOW: dict[str, Callable[[Question, list[Option]], None]] = {
    "single": _show_choice,
    "predict": _show_choice,
    "spot": _show_spot,
    "several": _show_several,
    "number": _show_number,
    "order": _show_order,
    "match": _show_match,
}
_READ: dict[str, Callable[[Question], Response | None]] = {
    "single": _read_choice,
    "predict": _read_choice,
    "spot": _read_choice,
    "several": _read_several,
    "number": _read_number,
    "order": _read_order,
    "match": _read_match,
}
_REVIEW: dict[str, Callable[[Question, Response], None]] = {
    "single": _review_choice,
    "predict": _review_choice,
    "spot": _review_spot,
    "several": _review_several,
    "number": _review_number,
    "order": _review_order,
    "match": _review_match,
}
