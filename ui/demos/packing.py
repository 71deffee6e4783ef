"""Packing to be touched: rows of a batch, one row's tokens, who sees whom, who predicts whom.

Leaves out drawing (``charts.packing``) and computing (``demos.packing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import packing
from common import numbers
from demos.packing import sources
from demos.packing.windows import FREE, PACKED, Params, Result
from demos.params import Field
from ui.demos import form
from ui.demos.chat_templates import GROUP
from ui.demos.frame import Look, Prediction
from ui.widgets.tokens import Shown, tokens

WINDOWS = (4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 192, 256, 384, 512)


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.grid(2, min_column_width=220):
        for name in ("source", "strategy"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    if values["source"] == sources.OWN:
        values["lengths"] = form.field(fields["lengths"], key, locked="lengths" in locked)
    else:
        values["examples"] = form.slider(fields["examples"], key, locked="examples" in locked)
    with st.grid(2, min_column_width=220):
        values["window"] = form.slider(fields["window"], key, WINDOWS, locked="window" in locked)
        for name in ("loss", "row", "batch"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    values["end_is_pad"] = form.field(fields["end_is_pad"], key, locked="end_is_pad" in locked)
    return values


def _row(_params: Params, result: Result, _key: str) -> None:
    if not result.cells:
        return
    st.markdown(f"**Окно {result.row}: токены.** Подчёркнуто то, чему модель учится; цвет — номер примера.")
    row = [
        Shown(
            cell.text,
            cell.end or cell.text.startswith("<|"),
            cell.learned,
            pad=not cell.example,
            group=cell.example,
            tip=f"пример {cell.example}, position_ids {cell.position}" if cell.example else "PAD",
        )
        for cell in result.cells
    ]
    tokens(row, f"Окно {result.row}")


def code(params: Params) -> str:
    """The same by trl: its packing, its collator. Token 0 is PAD."""
    if params.source == sources.OWN:
        given = sources.typed(params.lengths)
    else:
        given = sources.task(params.source, params.examples)
    masks = [[params.loss == "all" or on for on in example.answer] for example in given]
    if params.end_is_pad:
        masks = [[*mask[:-1], False] for mask in masks]
    if params.strategy in PACKED:
        rows = f'rows = pack_dataset(rows, {params.window}, "{params.strategy}").to_list()'
    else:
        rows = f"""rows = [{{name: values[:{params.window}] for name, values in row.items()}} for row in rows]
rows = [row for row in rows if any(label != -100 for label in row["labels"])]"""
    return _PROGRAM.format(
        masks=[list(map(int, mask)) for mask in masks],
        rows=rows,
        free=params.strategy in FREE,
        multiple=params.window if params.strategy == "window" else None,
        batch=params.batch,
    )


_PROGRAM = """from datasets import Dataset
from trl import pack_dataset
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

learned = {masks}
new = iter(range(1, 10**6))
ids = [[next(new) for _ in mask] for mask in learned]
labels = [[token if on else -100 for token, on in zip(*pair)] for pair in zip(ids, learned)]
rows = Dataset.from_dict({{"input_ids": ids, "labels": labels}})
{rows}
collator = DataCollatorForLanguageModeling(pad_token_id=0, padding_free={free}, pad_to_multiple_of={multiple})
batches = [collator(rows[start : start + {batch}]) for start in range(0, len(rows), {batch})]
padding = sum(int((batch["input_ids"] == 0).sum()) for batch in batches)
trained = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
print(len(rows), padding, trained)
"""


def _rows_needed(result: Result) -> int:
    many = len(result.lines)
    return 0 if many <= 3 else 1 if many <= 5 else 2


def _tell(result: Result) -> str:
    many = numbers.plural(len(result.lines), "окно", "окна", "окон")
    return (
        f"Хватило {many}: {result.tokens} токенов при {result.window} местах в окне. Bfd кладёт длинные "
        "примеры первыми и ищет окно, где останется меньше всего места."
    )


LOOKS: Mapping[str, Look] = {
    "packing.windows": Look(
        title="Packing и маски",
        group=GROUP,
        summary="Примеры разной длины в окнах: сколько PAD впустую, что отрезано, кто кого видит, где −100.",
        draw=packing.packed,
        ask=Prediction(
            "Шесть примеров длиной 14, 10, 22, 5, 13 и 10 токенов, окно — 24. "
            "Сколько окон займёт packing, который не режет примеры?",
            ("3", "4 или 5", "6"),
            _rows_needed,
            _tell,
        ),
        controls=_controls,
        code=code,
        below=_row,
    ),
}
