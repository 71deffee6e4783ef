"""Charts of recorded runs: the title is computed, the spread is drawn, what is missing is said, in Russian."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from charts import sweeps, theme
from charts.chart import Chart
from common import palette
from common.numbers import NBSP
from demos import registry
from demos.finetuning import measured, plan
from demos.finetuning.spec import RunSpec
from demos.finetuning.sweeps import Result
from tests.demos.finetuning import invented

DRAW: dict[str, Callable[[Result], Chart]] = {
    "rates": sweeps.rates,
    "curves": sweeps.curves,
    "ranks": sweeps.ranks,
    "alphas": sweeps.alphas,
    "methods": sweeps.methods,
}
Right = Callable[[RunSpec], int | None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    return tmp_path


def recorded(name: str, folder: Path, right: Right, *, metric: str = "exact", without: int = 0) -> tuple[Result, Chart]:
    """The figure of invented runs, all but the last ``without`` of them."""
    specs = plan.sets()[name].specs
    invented.record(specs[: len(specs) - without], folder, right)
    result = registry.call(f"finetuning.{name}", {"metric": metric})
    result = result.race if name == "methods" else result
    return result, DRAW[name](result)


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def by_rank(spec: RunSpec) -> int:
    return 195 if spec.task == "habit" else 20 * spec.rank


def by_rate(spec: RunSpec) -> int:
    return 195 if spec.learning_rate in (1e-3, 5e-3) else 120


def test_one_task_needs_one_direction_and_the_other_more(folder: Path) -> None:
    result, chart = recorded("ranks", folder, by_rank)
    last = plan.small_ranks()[-2]
    assert chart.title == f"«Одна привычка»: хватает r = 1; «Справочник»: и после r = {last} становится лучше"
    habit, _, reference, _ = chart.figure.data
    assert list(habit.x) == list(plan.small_ranks())
    assert list(reference.y) == [pytest.approx(100 * spot.value.mean) for spot in result.series[1].spots if spot.value]
    assert habit.line.dash != reference.line.dash  # told apart without colour


def test_the_spread_of_the_seeds_is_drawn_and_every_seed_too(folder: Path) -> None:
    result, chart = recorded("alphas", folder, lambda spec: 150 + 10 * spec.seed)
    line, dots = chart.figure.data
    value = result.spots[0].value
    assert value is not None
    assert line.y[0] + line.error_y.array[0] == pytest.approx(100 * value.high)
    assert line.y[0] - line.error_y.arrayminus[0] == pytest.approx(100 * value.low)
    assert len(dots.x) == 3 * len(plan.SCALES)
    assert "разница в пределах разброса" in chart.title
    assert "по зёрнам от" in chart.alt


def test_each_method_has_its_own_best_rate_and_an_edge_is_said(folder: Path) -> None:
    _, chart = recorded("rates", folder, by_rate)
    assert chart.figure.data[0].error_y.array[2] > 0, "one seed: its own interval is drawn"
    assert chart.title == "Лучшая скорость: Полное дообучение — 0,001, LoRA — 0,005, QLoRA — 0,005"
    _, chart = recorded("rates", folder, lambda spec: 195 if spec.learning_rate < 6e-4 else 100)
    assert "у LoRA, QLoRA лучшая — крайняя из проверенных" in chart.title


def test_a_training_that_diverged_is_a_point_that_says_so(folder: Path) -> None:
    result, chart = recorded("alphas", folder, lambda spec: None if spec.alpha == 128 else 190)
    assert result.missing == 0
    assert "при 16 обучение расходится" in chart.title
    assert "α/r = 16 — обучение разошлось" in plain(chart.alt)
    assert max(chart.figure.data[0].x) == 4


def test_three_curves_show_the_mean_in_a_band(folder: Path) -> None:
    worst = {"full": 195, "lora": 190, "qlora": 120}
    _, chart = recorded("curves", folder, lambda spec: worst["full" if spec.method == "full" else role(spec)])
    assert chart.title.startswith("Ниже всех «Полное дообучение», выше всех «QLoRA»")
    lines = [trace for trace in chart.figure.data if trace.name]
    assert [line.line.color for line in lines] == [palette.ROLES[name] for name in ("full", "lora", "qlora")]
    assert sum(trace.fill == "toself" for trace in chart.figure.data) == 3
    _, chart = recorded("curves", folder, lambda _: 190)
    assert "Три кривые не различить" in chart.title


def role(spec: RunSpec) -> str:
    return "lora" if spec.quantization == "none" else "qlora"


def test_methods_are_ranked_and_what_is_not_recorded_is_named(folder: Path) -> None:
    def right(spec: RunSpec) -> int:
        return {"full": 199, "dora": 196, "ia3": 80}.get(spec.method, 150)

    result, chart = recorded("methods", folder, right, without=3)
    assert chart.title.startswith("Полное дообучение: ")
    assert "не отличить" in chart.title
    assert list(chart.figure.data[0].y)[:2] == ["Полное дообучение", "DoRA"]
    assert "Prompt tuning" not in chart.figure.data[0].y
    assert "Нет записей: Prompt tuning" in result.notice
    assert "Нет записей: Prompt tuning" in chart.alt


@pytest.mark.parametrize("name", list(DRAW))
def test_missing_points_are_said_and_no_conclusion_is_drawn_too_early(name: str, folder: Path) -> None:
    result, chart = recorded(name, folder, lambda _: 190, without=3)
    assert result.missing >= 3
    assert "Не хватает" in chart.alt
    assert any(word in chart.title for word in ("рано", "Пока", "не отличить", "хватает r"))


@pytest.mark.parametrize("metric", ["exact", "loss"])
@pytest.mark.parametrize("name", list(DRAW))
def test_every_chart_has_words_units_and_the_house_look(name: str, metric: str, folder: Path) -> None:
    _, chart = recorded(name, folder, by_rank if name == "ranks" else by_rate, metric=metric)
    layout = chart.figure.layout
    assert chart.alt.startswith(chart.title)
    assert chart.alt.endswith(".")
    assert ".." not in chart.alt
    assert layout.separators == f",{NBSP}"
    assert layout.paper_bgcolor is None
    assert all(len(line) <= theme.TITLE_WIDTH for line in layout.title.text.split("<br>"))
    assert not re.search(r"\d\.\d", chart.alt + layout.title.text)
    assert layout.xaxis.title.text
