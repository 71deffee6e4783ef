"""The opened file of an adapter: what it is, its size by kind of layer, every tensor. Leaves out choosing one."""

from __future__ import annotations

import streamlit as st

from common import numbers
from demos.finetuning.adapters.files import Description, Kind, Piece
from ui.widgets.safe import cell


def line(described: Description) -> str:
    """The file in a few words: «LoRA, 990,2 КБ»."""
    return f"{described.method}, {numbers.size(described.weights_bytes)}"


def show(described: Description, key: str) -> None:
    """Numbers first, then the table of layers, then all tensors on request."""
    with st.grid(4, min_column_width=130, key=f"file-{key}"):
        st.metric("Метод", described.method)
        st.metric("Ранг r", numbers.integer(described.rank) if described.rank else "—")
        st.metric("Параметров", numbers.integer(described.parameters))
        st.metric("Файл", numbers.size(described.weights_bytes))
    st.markdown(_sentence(described))
    st.markdown(_kinds(described.kinds, with_update=any(kind.update for kind in described.kinds)))
    with st.expander(f"Все тензоры: {len(described.pieces)}", icon=":material/table_rows:"):
        st.markdown(_pieces(described.pieces))


def _sentence(described: Description) -> str:
    share = numbers.percent(described.share, 2)
    text = (
        f"В файле {numbers.plural(len(described.pieces), 'тензор', 'тензора', 'тензоров')} — {share} параметров базы. "
        f"Заголовок с именами и формами занимает {numbers.size(described.header_bytes)}, остальное — сами числа. "
        f"Настройки лежат рядом, в `adapter_config.json` ({numbers.size(described.config_bytes)})."
    )
    if described.scale:
        text += (
            f" Поправка слоя — {numbers.decimal(described.scale, 2)} · B A: "
            f"альфа {numbers.decimal(described.alpha, 0)} при ранге {described.rank}."
        )
    return text


def _kinds(kinds: tuple[Kind, ...], *, with_update: bool) -> str:
    last = " ‖s·BA‖ / ‖W‖ |" if with_update else ""
    head = f"| слой | слоёв | параметров | байтов |{last}\n|---|--:|--:|--:|{'--:|' if with_update else ''}\n"
    rows = (
        f"| {f'`{kind.name}`' if kind.name else 'общие'} | {kind.layers if kind.name else '—'} "
        f"| {numbers.integer(kind.parameters)} | {numbers.size(kind.bytes)} |"
        + (f" {numbers.percent(kind.update, 1)} |" if with_update else "")
        for kind in kinds
    )
    return head + "\n".join(rows)


def _pieces(pieces: tuple[Piece, ...]) -> str:
    head = "| тензор | форма | тип | байтов | длина (норма) |\n|---|--:|---|--:|--:|\n"
    rows = (
        f"| {cell(piece.name)} | {' × '.join(map(str, piece.shape))} | {piece.dtype} "
        f"| {numbers.size(piece.bytes)} | {numbers.decimal(piece.norm, 2)} |"
        for piece in pieces
    )
    return head + "\n".join(rows)
