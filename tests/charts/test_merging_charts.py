"""Charts of merging and of the router: titles are computed, intervals are heeded, refusals are sentences."""

from __future__ import annotations

import dataclasses

import pytest

from charts import merging, router
from common.numbers import NBSP
from demos.merging import arithmetic, precision, switching, weights
from demos.merging.stored import Blend, Measured, Spoilt
from demos.router import ask, confusion
from demos.router.confusion import Params


def measured(right: int, *, same: int = 100, spoilt: tuple[Spoilt, ...] = ()) -> Measured:
    low, high = max(0.0, right / 100 - 0.08), min(1.0, right / 100 + 0.08)
    return Measured(right, 100, low, high, same, 0, 0, 0.1, 0.01, 0.2, spoilt)


def lost(cosine: float, right: int) -> precision.Result:
    """NF4 with this cosine and so many right answers; everything else whole."""
    spoilt = (Spoilt("запрос <b>", "да", "нет", "да"),)

    def loss(way: str) -> precision.Loss:
        bad = way == "nf4"
        value = cosine if bad else 1.0
        layers = tuple(precision.Layer(0, kind, 0.1, 0.2, value, value, 0.3) for kind in ("q_proj", "up_proj"))
        answers = measured(right, same=90, spoilt=spoilt) if bad else measured(94)
        return precision.Loss(way, weights.WAYS[way], layers, 0.1, 0.2, value, value, 0.3, answers)  # type: ignore[index]

    ways = tuple(loss(way) for way in weights.WAYS)
    return precision.Result("json", "ответы", 5, False, 0.17, ways, measured(94), measured(0), "script, 2026")


@pytest.mark.parametrize(("cosine", "word"), [(0.08, "потеряна"), (0.9, "искажена"), (0.99, "цела")])
def test_the_title_says_what_became_of_the_update(cosine: float, word: str) -> None:
    drawn = merging.precision(lost(cosine, 94))
    assert f"прямо в NF4 поправка {word}" in drawn.charts[0].title
    assert "в bfloat16 цела" in drawn.charts[0].title
    assert f"Сила 5{NBSP}%" in drawn.charts[0].title


@pytest.mark.parametrize(
    ("right", "said"), [(93, "интервалы перекрываются"), (40, "верных ответов меньше"), (60, "меньше: 60")]
)
def test_a_difference_is_claimed_only_where_the_intervals_part(right: int, said: str) -> None:
    drawn = merging.precision(lost(0.9, right))
    assert said in drawn.charts[1].title
    assert any(row[1] == "запрос <b>" for table in drawn.tables for row in table.rows)


def test_without_measurements_the_layers_are_drawn_and_it_is_said() -> None:
    whole = lost(0.9, 94)
    bare = dataclasses.replace(
        whole, tuned=None, base=None, ways=tuple(dataclasses.replace(one, answers=None) for one in whole.ways)
    )
    drawn = merging.precision(bare)
    assert len(drawn.charts) == 1
    assert drawn.warnings


def test_a_refusal_is_a_sentence_and_a_sum_tells_its_worse_task() -> None:
    assert merging.summed(arithmetic.Result(problem="Ранги разные")).warnings == ("Ранги разные",)
    score = measured(90)
    sides = tuple(
        arithmetic.Side(name, name, score, dataclasses.replace(score, right=right, of=12), "?", "!", "…")  # type: ignore[arg-type]
        for name, right in (("json", 9), ("polite", 1))
    )
    path = tuple(Blend("cat", share / 2, right, other) for share, right, other in ((0, 0, 50), (1, 20, 30), (2, 48, 1)))
    drawn = merging.summed(arithmetic.Result("", "cat", 0.5, 0.5, 8, 1e-8, 0.01, sides, path, 50))
    assert "верно 9 из 12 и 1 из 12" in drawn.charts[0].title
    assert f"выше 40{NBSP}%" in drawn.charts[1].title


@pytest.mark.parametrize(("pays", "said"), [(float("inf"), "не здесь"), (2.2, "за 2 прохода"), (0.1, "за 1 проход")])
def test_when_merging_pays_is_told_in_passes(pays: float, said: str) -> None:
    costs = {name: switching.Cost(name, name, 0.001, 0.001, 0.002) for name in ("set", "merge", "load", "merged")}
    three = tuple(costs[name] for name in ("set", "merge", "load"))
    drawn = merging.switched(switching.Result(three, (costs["merged"],), pays, 9_000_000, 130_000))
    assert drawn.numbers[2].value.replace(NBSP, " ") == said


def test_the_matrix_is_drawn_as_it_was_counted() -> None:
    result = confusion.confusion(Params(cue="with"))
    drawn = router.confusion(result)
    shown = drawn.charts[0].figure.data[0].text
    assert [[int(text or 0) for text in row] for row in shown] == [list(row) for row in result.matrix]
    assert f"{result.routed.right} из {result.routed.of}" in drawn.charts[0].title
    assert sum(len(trace.x) for trace in drawn.charts[2].figure.data) == len(result.decisions)
    assert drawn.tables[0].rows[0][1:] == result.matrix[0]


def test_the_most_frequent_mistake_is_named_and_none_where_there_is_none() -> None:
    result = confusion.confusion(Params(threshold=0.0))
    kind, place = router.worst(result).split(" → ")
    counts = {
        (f"«{router.KINDS[row]}»", f"«{router.SENT[column]}»"): count
        for row, counted in zip(result.kinds[:4], result.matrix, strict=False)
        for column, count in zip(result.sent, counted, strict=True)
        if row != column
    }
    assert counts[kind, place] == max(counts.values())
    assert router.worst(confusion.confusion(Params(threshold=1.0, sharpness=1.0))) == ""


def test_an_abstaining_router_says_so() -> None:
    shares = tuple(ask.Share(name, 0.25, 0.1) for name in ("json", "polite", "intents", "base"))
    said = tuple(ask.Said(name, name, "да") for name in ("json", "polite", "intents", "base"))
    drawn = router.asked(ask.Result("base", "json", 0.25, True, 0.6, shares, said, 0.01, 0.2))
    assert "Роутер не уверен: 0,25 ниже порога 0,60" in drawn.charts[0].title
    assert [row[3] for row in drawn.tables[0].rows] == [False, False, False, True]
