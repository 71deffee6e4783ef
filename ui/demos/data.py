"""Data to be touched: linted, converted, weighed; and from there into a run.

Leaves out drawing (``charts.data``), computing (``demos.data``) and keeping a file (``ui.widgets.own_data``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import data
from common import numbers
from demos.data import lint as linting
from demos.data import reading
from demos.data.balance import Params as Weighed
from demos.data.balance import Result as Balance
from demos.data.convert import Params as Conversion
from demos.data.convert import Result as Converted
from demos.data.lint import Params, Result
from demos.data.samples import OWN
from demos.finetuning import measured, own
from demos.finetuning.spec import RunSpec
from demos.params import Field, ParamsError
from progress.database import DatabaseFault
from progress.submissions import Rejected
from ui import links, session
from ui.demos import form
from ui.demos.chat_templates import GROUP
from ui.demos.frame import Look, Prediction
from ui.widgets import own_data
from ui.widgets.safe import plain

WINDOWS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
SHOWN = 5
"""Converted records that a page shows."""


def _lint(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.grid(2, min_column_width=220):
        values["sample"] = form.field(fields["sample"], key, locked="sample" in locked)
        values["longest"] = form.slider(fields["longest"], key, WINDOWS, locked="longest" in locked)
    if values["sample"] == OWN:
        for name in ("train", "validation"):
            values[name] = _text(fields[name], key, locked=name in locked)
    return values


def _convert(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {"sample": form.field(fields["sample"], key, locked="sample" in locked)}
    values["target"] = form.choice(fields["target"], key, locked="target" in locked)
    if values["sample"] == OWN:
        values["text"] = _text(fields["text"], key, locked="text" in locked)
    return values


def _text(item: Field, key: str, *, locked: bool) -> str:
    """Pasted or uploaded; a file only fills the same field."""
    name, upload = form.widget(key, item.name), f"{key}-{item.name}-file"
    with st.container(key=f"upload-{key}-{item.name}"):
        st.file_uploader(
            f"{item.title}: файл", key=upload, max_upload_size=2, on_change=_take, args=(upload, name), disabled=locked
        )
    problem = session.recall(f"{name}-problem", "")
    if problem:
        st.error(plain(problem), icon=":material/error:")
    return st.text_area(
        item.title, key=name, height=180, max_chars=item.longest, disabled=locked, help=item.note or None
    )


def _take(upload: str, name: str) -> None:
    """Bytes into the text field, or what is wrong with them. Nothing is parsed here."""
    file: Any = session.recall(upload, None)
    session.forget(f"{name}-problem")
    if file is None:
        return
    try:
        session.remember(name, _short(own.decode(file.getvalue(), file.name)))
    except ParamsError as problem:
        session.remember(f"{name}-problem", str(problem))


def _short(text: str) -> str:
    if len(text) > reading.LONGEST:
        many = numbers.integer(reading.LONGEST)
        raise ParamsError(f"В файле больше {many} знаков: возьмите часть строк или сразу запустите обучение на нём.")
    return text


def _below_lint(params: Params, result: Result, key: str) -> None:
    text = linting.texts(params)[0]
    if params.sample != OWN:
        with st.expander("Сам набор", icon=":material/data_object:", key=f"{key}-lines"):
            st.code(text, language="json", line_numbers=True, wrap_lines=True)
    if result.train and not result.errors:
        _train(text, f"{params.sample}.jsonl", key)


def _below_convert(params: Conversion, result: Converted, key: str) -> None:
    if not result.lines:
        return
    st.code("\n".join(text for _, text in result.lines[:SHOWN]), language="json", wrap_lines=True)
    if len(result.lines) > SHOWN:
        st.caption(f"Показаны первые {SHOWN} записей из {numbers.integer(len(result.lines))}.")
    st.download_button(
        "Скачать JSONL",
        result.jsonl.encode(),
        f"{result.target}.jsonl",
        "application/jsonl",
        key=f"{key}-jsonl",
        on_click="ignore",
        icon=":material/download:",
    )
    _train(result.jsonl, f"{params.sample}-{result.target}.jsonl", key)


def _train(text: str, name: str, key: str) -> None:
    """Keep the data as the learner's own and lead to the page that trains on them."""
    st.button(
        "Дообучить на этих данных",
        key=f"{key}-train",
        icon=":material/model_training:",
        on_click=_store,
        args=(text, name, key),
        help="Набор сохранится среди ваших файлов, рецепт запуска можно будет поправить.",
    )
    kept: tuple[int, int] | None = session.recall(f"{key}-kept", None)
    problem = session.recall(f"{key}-unkept", "")
    if problem:
        st.error(plain(problem), icon=":material/error:")
    elif kept and kept[0] == hash(text):
        links.go("Набор сохранён: выбрать рецепт и запустить", links.NEW_RUN, links.recipe(RunSpec(), kept[1]))


def _store(text: str, name: str, key: str) -> None:
    session.forget(f"{key}-unkept")
    try:
        session.remember(f"{key}-kept", (hash(text), own_data.keep(text.encode(), name).id))
    except (ParamsError, Rejected, DatabaseFault) as problem:
        session.remember(f"{key}-unkept", str(problem))


def _below_balance(_params: Weighed, result: Balance, _key: str) -> None:
    with st.container(horizontal=True):
        for side in result.sides:
            verb = "Повторить" if side.outcomes else "Запустить"
            links.go(f"{verb}: {side.title}", links.NEW_RUN, links.recipe(side.spec), icon=":material/replay:")


def _flawed(result: Result) -> int:
    return min(2, result.warnings // 3)


def _tell_lint(result: Result) -> str:
    many = numbers.plural(result.warnings, "замечание", "замечания", "замечаний")
    return f"Линтер нашёл {many} в {result.train} строках: точный повтор, противоречие и почти повторы."


def _kept_same(result: Converted) -> int:
    return 0 if result.same == sum(count for _, count in result.forms) else 1


def _tell_convert(result: Converted) -> str:
    return f"Туда и обратно без изменений проходят {result.same} записей из {len(result.lines)}."


LOOKS: Mapping[str, Look] = {
    "data.lint": Look(
        title="Линтер данных",
        group=GROUP,
        summary="Роли, сломанный JSON, повторы, почти повторы, утечки, перекос — с номерами строк и до обучения.",
        draw=data.linted,
        ask=Prediction(
            "В наборе из десяти вопросов с ответами нет сломанных строк, и на вид он чист. Сколько в нём замечаний?",
            ("одно или два", "от трёх до пяти", "шесть и больше"),
            _flawed,
            _tell_lint,
        ),
        controls=_lint,
        below=_below_lint,
    ),
    "data.convert": Look(
        title="Конвертер данных",
        group=GROUP,
        summary="instruction/input/output, messages, OpenAI JSONL и prompt/completion: из любого в любой, построчно.",
        draw=data.converted,
        ask=Prediction(
            "Двенадцать записей instruction/input/output станут сообщениями. Прочтутся ли они потом так же?",
            ("да, все", "не все"),
            _kept_same,
            _tell_convert,
        ),
        controls=_convert,
        below=_below_convert,
    ),
    "data.balance": Look(
        title="Поровну или с перекосом",
        group=GROUP,
        summary="Один рецепт и одна проверка, но в обучении 92 % одного класса: что скажут настоящие запуски.",
        draw=data.balanced,
        below=_below_balance,
        stamp=measured.stamp,
    ),
}
