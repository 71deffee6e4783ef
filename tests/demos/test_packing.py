"""Rows, labels and positions are those of trl itself; what a row may see is what the bundled model sees."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from demos.packing import sources, strategies
from demos.packing.windows import FREE, NAMES, PACKED, Params, Result, windows
from demos.params import ParamsError

pytestmark = pytest.mark.slow
PAD, LAST = 0, 999
"""A token is 1000 × its example + its place; an end token has the last place."""
IGNORED = -100


def lengths(seed: int) -> list[tuple[int, int]]:
    random = Random(seed)
    return [(random.randint(0, 20), random.randint(1, 20)) for _ in range(random.randint(1, 30))]


def numbered(pairs: Sequence[tuple[int, int]], loss: str) -> list[dict[str, list[int]]]:
    """Every token another number; labels as trl prepares them."""
    rows = []
    for place, (asked, said) in enumerate(pairs):
        ids = [1000 * (place + 1) + step for step in range(asked + said - 1)]
        ids.append(1000 * (place + 1) + LAST)
        on = [loss == "all" or step >= asked for step in range(asked + said)]
        labels = [one if yes else IGNORED for one, yes in zip(ids, on, strict=True)]
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def by_trl(rows: list[dict[str, list[int]]], params: Params) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows that trl makes of the examples, and the batches that its collator makes of the rows."""
    from datasets import Dataset
    from trl import pack_dataset
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    if params.strategy in PACKED:
        made = pack_dataset(Dataset.from_list(rows), params.window, params.strategy).to_list()
    else:
        cut = [{name: values[: params.window] for name, values in row.items()} for row in rows]
        made = [row for row in cut if any(label != IGNORED for label in row["labels"])]
    multiple = params.window if params.strategy == "window" else None
    collator = DataCollatorForLanguageModeling(
        pad_token_id=PAD, padding_free=params.strategy in FREE, pad_to_multiple_of=multiple
    )
    starts = range(0, len(made), params.batch)
    return made, [collator(made[start : start + params.batch]) for start in starts]


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize("loss", ["answer", "all"])
def test_rows_padding_and_labels_are_trls(strategy: str, loss: str) -> None:
    for seed in range(8):
        pairs = lengths(seed)
        params = Params(
            strategy=strategy,
            loss=loss,
            window=(7, 16, 40)[seed % 3],
            batch=1 + seed % 4,
            lengths=", ".join(f"{asked}+{said}" for asked, said in pairs),
        )
        ours = windows(params)
        rows, batches = by_trl(numbered(pairs, loss), params)
        assert [sum(length for _, length in line.pieces) for line in ours.lines] == [
            len(row["input_ids"]) for row in rows
        ]
        assert [{example for example, _ in line.pieces} for line in ours.lines] == [
            {one // 1000 for one in row["input_ids"]} for row in rows
        ]
        assert ours.computed == sum(batch["input_ids"].numel() for batch in batches)
        assert ours.padding == sum(int((batch["input_ids"] == PAD).sum()) for batch in batches)
        assert ours.learned == sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
        assert ours.ends == sum(int((batch["labels"][:, 1:] % 1000 == LAST).sum()) for batch in batches)


@pytest.mark.parametrize("strategy", ["bfd", "bfd_split", "wrapped"])
def test_every_place_of_a_row_is_trls(strategy: str) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    pairs = [(9, 5), (6, 4), (14, 18), (3, 2), (0, 3), (4, 6), (30, 1)]
    text = ", ".join(f"{asked}+{said}" for asked, said in pairs)
    made, _ = by_trl(numbered(pairs, "answer"), Params(strategy=strategy, window=16, batch=1))
    collator = DataCollatorForLanguageModeling(
        pad_token_id=PAD, padding_free=strategy in FREE, return_position_ids=True
    )
    for place, row in enumerate(made, 1):
        cells = windows(Params(strategy=strategy, window=16, batch=1, row=place, lengths=text)).cells
        batch = collator([row])
        names = [_name(one) for one in row["input_ids"]]
        assert [cell.text for cell in cells] == names
        assert [cell.position for cell in cells] == batch["position_ids"][0].tolist()
        assert [cell.labelled for cell in cells] == (batch["labels"][0] != IGNORED).tolist()


def _name(identity: int) -> str:
    if identity % 1000 == LAST:
        return sources.END
    return f"{sources.LETTERS[identity // 1000 - 1]}{identity % 1000 + 1}"


def test_best_fit_takes_the_row_with_the_least_room() -> None:
    rows = strategies.bfd([5, 2, 3, 1], 4)
    assert [[(piece.example, piece.length) for piece in row] for row in rows] == [[(0, 4)], [(2, 3), (3, 1)], [(1, 2)]]


def test_pad_is_end_and_nothing_teaches_the_model_to_stop() -> None:
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    from demos.finetuning import base_model

    tokenizer = AutoTokenizer.from_pretrained(base_model.FOLDER)
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "right"
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    rows = [[5, 6, 7, tokenizer.eos_token_id], [8, 9, tokenizer.eos_token_id]]
    labels = collator([{"input_ids": ids} for ids in rows])["labels"]
    trap = windows(Params(strategy="longest", loss="all", lengths="4, 3", end_is_pad=True))
    assert trap.learned == int((labels[:, 1:] != IGNORED).sum()) == 3
    assert (trap.ends, windows(Params(strategy="longest", loss="all", lengths="4, 3")).ends) == (0, 2)


def test_what_lies_beside_is_seen_in_a_ribbon_and_not_after_best_fit() -> None:
    """The same tokens in one row: the second example's logits are its own only where positions begin anew."""
    import torch

    from demos.finetuning import base_model

    model = base_model.load()
    first, second = [2, 300, 301, 302, 303], [4, 400, 401, 402]
    row = torch.tensor([first + second])  # (1, length)
    apart = torch.tensor([[*range(len(first)), *range(len(second))]])  # (1, length)
    with torch.inference_mode():
        alone = model(torch.tensor([second])).logits[0]  # (second, vocabulary)
        packed = model(row, position_ids=apart, use_cache=False).logits[0, len(first) :]
        ribbon = model(row, use_cache=False).logits[0, len(first) :]
    assert (packed - alone).abs().max() < 1e-4
    assert (ribbon - alone).abs().max() > 0.1


def test_foreign_pairs_are_counted_as_a_mask_would() -> None:
    made = windows(Params(strategy="wrapped", window=16, row=1, lengths="5+5, 4+4, 2+2"))
    owner = [example for line in made.lines for example, length in line.pieces for _ in range(length)]
    rows = [owner[start : start + 16] for start in range(0, len(owner), 16)]
    brute = sum(row[i] != row[j] for row in rows for i in range(len(row)) for j in range(i))
    assert made.foreign == brute > 0
    assert windows(Params(strategy="bfd", window=16, lengths="5+5, 4+4, 2+2")).foreign == 0


@pytest.mark.parametrize("strategy", NAMES)
def test_tokens_are_kept_lost_or_padded_and_nothing_else(strategy: str) -> None:
    made: Result = windows(Params(strategy=strategy, window=16, source="intents", examples=20))
    assert made.computed == made.tokens - made.lost + made.padding or made.dropped
    assert made.learned == sum(line.learned for line in made.lines)
    assert len(made.cells) == made.lines[0].used + made.lines[0].padding


def test_a_window_shorter_than_every_question_teaches_nothing() -> None:
    made = windows(Params(strategy="longest", window=4, lengths="9+5, 6+4"))
    assert (made.learned, made.dropped, made.silent, made.lines, made.cells) == (0, 2, 2, (), ())


def test_a_tasks_tokens_and_answers_are_those_of_its_training() -> None:
    from transformers import AutoTokenizer

    from demos.finetuning import base_model, tasks

    tokenizer = AutoTokenizer.from_pretrained(base_model.FOLDER)
    chats = [tasks.row(chat)["messages"] for chat in tasks.build("tools").train[: sources.MOST]]
    theirs = tokenizer.apply_chat_template(chats, return_dict=True, return_assistant_tokens_mask=True)
    ours = sources.task("tools", sources.MOST)
    assert [len(example.tokens) for example in ours] == [len(ids) for ids in theirs["input_ids"]]
    assert [list(map(int, example.answer)) for example in ours] == theirs["assistant_masks"]


@pytest.mark.parametrize("text", ["", ",", "а", "5+", "+5", "5+0", "0", "-3", "2049", "1e3", "99999+99999", "1," * 65])
def test_lengths_that_are_none(text: str) -> None:
    with pytest.raises(ParamsError, match="Длины"):
        windows(Params(lengths=text))
