"""Figures of templates, packing and data say the numbers of their results, and never a learner's text as markup."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from charts import data, packing, templates
from charts.drawing import Drawing
from common.numbers import percent
from demos.chat_templates import wrong
from demos.chat_templates.render import Params as Chat
from demos.chat_templates.render import render
from demos.data import balance
from demos.data.convert import Params as Conversion
from demos.data.convert import convert
from demos.data.lint import Params as Linted
from demos.data.lint import lint
from demos.data.samples import OWN
from demos.finetuning import measured, plan
from demos.finetuning.spec import RunSpec
from demos.packing.windows import NAMES, windows
from demos.packing.windows import Params as Rows
from tests.demos.finetuning import invented


def numbers(drawn: Drawing) -> dict[str, str]:
    return {each.label: each.value for each in drawn.numbers}


def test_a_chats_bar_adds_up_to_its_tokens() -> None:
    made = render(Chat(family="phi3"))
    drawn = templates.rendered(made)
    (chart,) = drawn.charts
    assert sum(bar.x[0] for bar in chart.figure.data) == len(made.tokens)
    assert chart.title == f"Phi-3: модель учится 10\u00a0токенам из {len(made.tokens)}"
    assert [row[1] for row in drawn.tables[0].rows] == [token.text for token in made.tokens]


def test_somebodys_words_stand_in_code_and_what_is_odd_is_said() -> None:
    evil = json.dumps([{"role": "user", "content": "![x](http://a.b) `<|im_end|>`"}])
    drawn = templates.rendered(render(Chat(family="chatml", messages=evil)))
    assert any("стоит метка `<|im_end|>`" in each for each in drawn.warnings)
    assert not any("http" in each for each in (*drawn.warnings, *drawn.notes))
    own = "![x](http://a.b)`{{ messages[0].content }}"
    added = templates.rendered(render(Chat(own=own))).warnings
    assert any("от себя: `![x](http://a.b)'`" in each for each in added)


def test_a_wrong_templates_fall_is_what_was_measured() -> None:
    rows = tuple(wrong._row(*pair) for pair in wrong.recorded()["ways"].items())
    made = wrong.Result(rows, 20, "2026-11-28", "s", (), "chatml", "ChatML", "в", "в", 1, 1, "о", "о", right=True)
    drawn = templates.fallen(made)
    assert rows[0].way == wrong.RIGHT
    assert rows[0].right > 100 > 3 * max(row.right for row in rows[1:])
    assert list(drawn.charts[0].figure.data[0].x) == [100 * row.right / row.of for row in rows]
    assert sum(drawn.tables[0].rows[0][3:]) == rows[0].right  # type: ignore[arg-type]
    assert templates.fallen(dataclasses.replace(made, rows=())).charts == ()


@pytest.mark.parametrize("strategy", NAMES)
def test_bars_of_a_row_fill_its_window(strategy: str) -> None:
    made = windows(Rows(strategy=strategy, window=16))
    drawn = packing.packed(made)
    drawn_length: dict[int, int] = {}
    for bar in drawn.charts[0].figure.data:
        drawn_length[bar.y[0]] = drawn_length.get(bar.y[0], 0) + bar.x[0]
    assert set(drawn_length.values()) == {16}
    assert len(drawn_length) == len(made.lines)
    assert [row[1:] for row in drawn.tables[0].rows] == [
        (", ".join(f"{e} ({n})" for e, n in line.pieces), line.used, line.padding, line.room, line.learned)
        for line in made.lines
    ]


def test_the_heat_map_shows_what_is_seen() -> None:
    mixed = windows(Rows(strategy="wrapped", lengths="3+2, 2+3", window=10, row=1))
    grid = packing.attention(mixed).figure.data[0].z
    assert [sum(value == packing.FOREIGN for value in row) for row in grid] == [0] * 5 + [5] * 5
    assert sum(value == packing.OWN for row in grid for value in row) == 30
    apart = windows(Rows(strategy="bfd", lengths="3+2, 2+3", window=10, row=1))
    assert not any(value == packing.FOREIGN for row in packing.attention(apart).figure.data[0].z for value in row)


def test_each_token_predicts_the_next_one_that_is_learned() -> None:
    made = windows(Rows(strategy="longest", lengths="2+3", window=8, row=1))
    rows = packing.packed(made).tables[1].rows
    assert [(row[1], row[4], row[5]) for row in rows] == [
        ("A1", "−100", "—"),
        ("A2", "−100", "A3"),
        ("A3", "A3", "A4"),
        ("A4", "A4", "EOS"),
        ("EOS", "EOS", "—"),
    ]


def test_nothing_learned_is_an_alarm_without_a_figure() -> None:
    drawn = packing.packed(windows(Rows(strategy="longest", window=4, lengths="9+5")))
    assert drawn.charts == ()
    assert "Не учится ни один токен" in drawn.warnings[0]


def test_findings_and_lengths_are_listed() -> None:
    made = lint(Linted(sample="long"))
    drawn = data.linted(made)
    assert drawn.charts[0].title.startswith("1\u00a0пример не помещается")
    assert list(drawn.charts[0].figure.data[0].y) == [length for _, length in made.lengths]
    assert drawn.tables[0].rows[0][:2] == ("ошибка", "Строка\u00a010")
    assert data.linted(lint(Linted(sample=OWN))).charts == ()


def test_converted_records_are_counted() -> None:
    drawn = data.converted(convert(Conversion(sample="tools", target="instruction")))
    assert numbers(drawn) == {"Прочитано": "2", "Записано": "1", "Читается обратно": "1", "Не поместилось": "1"}


def test_runs_on_balanced_and_unbalanced_data_stand_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    drawn = data.balanced(balance.balance(balance.Params()))
    assert "Ещё не записано: поровну, с перекосом" in drawn.warnings[0]
    assert len(drawn.charts) == 1
    right = {("intents", 0): 180, ("intents", 1): 184, ("intents_skewed", 0): 120, ("intents_skewed", 1): 100}
    specs = [RunSpec(task=task, seed=seed) for task, seed in right]
    invented.record(specs, tmp_path, lambda spec: right[spec.task, spec.seed])
    drawn = data.balanced(balance.balance(balance.Params()))
    ends = [plan.finished(measured.recorded(spec.fingerprint)) for spec in specs]
    counts = [end.after.right for end in ends if end is not None]  # an invented run varies by one answer
    shares = [(counts[0] + counts[1]) / 400, (counts[2] + counts[3]) / 400]
    assert numbers(drawn) == {
        f"Верно: {title}": percent(share, 1) for title, share in zip(balance.SIDES.values(), shares, strict=True)
    }
    assert "Пунктир — 20\u00a0%" in drawn.charts[1].alt
    assert [row[:4] for row in drawn.tables[1].rows] == [
        (balance.SIDES[spec.task], spec.seed, many, 200) for spec, many in zip(specs, counts, strict=True)
    ]
    assert not drawn.warnings
