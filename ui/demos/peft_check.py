"""«Проверить peft на meta-устройстве»: PEFT itself counts what the calculators say, in the compute process.

The answer belongs to the values it was asked for: change them, and it goes. Leaves out the counting (``demos.lora``).
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import streamlit as st

from common import numbers
from demos.lora import methods, parameters
from demos.lora.checking import Result
from demos.lora.recount import Result as Recount
from jobs import compute
from ui import session
from ui.widgets.safe import cell

CHECK = "Проверить peft на meta-устройстве"
WHY = "Модель строится без весов: только имена, размеры и типы. Этого PEFT хватает, чтобы посчитать всё самому."


def counted(params: parameters.Params, _: parameters.Result, key: str) -> None:
    """The calculator of one adapter."""
    if not _asked(params, key):
        return
    try:
        with st.spinner("PEFT строит модель и считает…", show_time=True):
            found = _recount(params)
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    if found.refused:
        _say("PEFT отказывается от таких слоёв", "как и сказал калькулятор" if found.equal else "", equal=found.equal)
        return
    both = f"PEFT: {numbers.integer(found.peft_trainable)} обучаемых из {numbers.integer(found.peft_total)}"
    ours = f"калькулятор: {numbers.integer(found.trainable)} из {numbers.integer(found.total)}"
    _say(both, "столько же, сколько у калькулятора" if found.equal else ours, equal=found.equal)


def compared(params: methods.Params, _: methods.Result, key: str) -> None:
    """The comparison of methods, one after another."""
    if not _asked(params, key):
        return
    found: list[Result] = []
    bar = st.progress(0.0, "PEFT строит модель и считает…")
    try:
        for place, method in enumerate(methods.METHODS):
            bar.progress(place / len(methods.METHODS), f"PEFT считает: {methods.METHODS[method].title}")
            found.append(_check(params, method))
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    finally:
        bar.empty()
    wrong = [row for row in found if not row.equal]
    most = numbers.plural(len(found), "метода", "методов", "методов")
    names = ", ".join(row.title for row in wrong)
    _say(
        f"Параметры и байты файла сошлись у {most}" if not wrong else f"Не сошлось: {names}",
        "до единицы и до байта" if not wrong else "",
        equal=not wrong,
    )
    _table(found)


def _asked(params: object, key: str) -> bool:
    """Whether these very values were asked about."""
    kept = f"{key}-checked"
    if st.button(CHECK, key=f"{key}-check", help=WHY, icon=":material/fact_check:"):
        session.remember(kept, params)
    return bool(session.recall(kept, None) == params)


def _say(first: str, second: str, *, equal: bool) -> None:
    text = f"{first}{': ' if second else ''}{second}."
    if equal:
        st.success(text, icon=":material/check_circle:")
    else:
        st.error(text, icon=":material/error:")


def _table(found: list[Result]) -> None:
    head = "| Метод | обучается | по PEFT | файл, Б | по PEFT |\n|---|--:|--:|--:|--:|\n"
    st.markdown(head + "\n".join(map(_row, found)))


def _row(row: Result) -> str:
    name = cell(row.title if row.equal else f"{row.title} — не сошлось")
    if row.refused:
        return f"| {name} | | отказывается | | отказывается |"
    values = (row.trainable, row.peft_trainable, row.file_bytes, row.peft_file_bytes)
    return f"| {name} | {' | '.join(numbers.integer(value) for value in values)} |"


@lru_cache(maxsize=64)
def _recount(params: parameters.Params) -> Recount:
    found: Recount = compute.call("lora.check", dataclasses.asdict(params))
    return found


@lru_cache(maxsize=512)
def _check(params: methods.Params, method: str) -> Result:
    found: Result = compute.call("lora.methods.check", {**dataclasses.asdict(params), "method": method})
    return found
