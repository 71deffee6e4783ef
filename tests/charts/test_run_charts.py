"""Charts of runs: the finding follows the numbers, methods keep their colour, nothing is told by colour alone."""

from __future__ import annotations

import math

import pytest

from charts import theme
from charts.retention import retention
from charts.runs import Curve, compare, curves, smooth
from common import palette
from common.numbers import NBSP
from demos.finetuning.events import Evaluated, Event, Finished, Retention, Score, Step
from demos.finetuning.spec import THREE_CURVES, RunSpec
from demos.finetuning.story import Story, tell


def steps(*losses: float) -> list[Event]:
    many = len(losses)
    return [Step(n, many, loss, 0.01, 1.0, 1000.0, 10**8, float(n), 0.0) for n, loss in enumerate(losses, 1)]


def ended(before: Score, after: Score) -> Finished:
    return Finished(before, after, after.right, 0, 0.0, 4.0, 0.1, (), True, 0.0, (), 4, False, 10**8, 10**6, 9.0, 12.0)


def curve(name: str, *losses: float, checked: float | None = None, after: Score | None = None) -> Curve:
    told: list[Event] = [Evaluated(0, 4.0, 0.0), *steps(*losses)]
    if checked is not None:
        told.append(Evaluated(len(losses), checked, 9.0))
    if after is not None:
        told.append(ended(Score(0, 200, 0.0, 0.02), after))
    return Curve(THREE_CURVES[name].title, THREE_CURVES[name], tell(told))


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def test_one_run_says_how_far_its_loss_fell() -> None:
    chart = curves([curve("qlora", 3.0, 1.0, 0.5, checked=0.45)])
    assert plain(chart.title) == "QLoRA, r = 16: потери упали с 4,00 до 0,45 за 3 шага"
    assert chart.alt.startswith(chart.title)
    assert "4,00 вначале, 0,45 сейчас" in plain(chart.alt)


def test_a_run_under_way_is_judged_by_its_newest_loss_and_keeps_room_for_the_rest() -> None:
    story = tell([Evaluated(0, 4.0, 0.0), Step(10, 160, 2.0, 0.01, 1.0, 1.0, 1, 1.0, 9.0)])
    chart = curves([Curve("LoRA", RunSpec(quantization="none"), story)])
    assert "до 2,00 за 10 шагов" in plain(chart.title)
    assert chart.figure.layout.xaxis.range[1] > 159


def test_several_runs_name_the_lowest_unless_they_ended_alike() -> None:
    apart = curves([curve("full", 1.0, checked=0.30), curve("qlora", 1.0, checked=0.10)])
    assert plain(apart.title) == "Ниже всех «QLoRA, r = 16»: потери от 0,10 до 0,30"
    alike = curves([curve("full", 1.0, checked=0.101), curve("qlora", 1.0, checked=0.10)])
    assert "Кривые сошлись" in alike.title


def test_methods_have_the_palettes_colours_and_runs_of_one_method_different_dashes() -> None:
    lines = [
        line
        for line in curves(
            [curve("full", 1.0), curve("lora", 1.0), curve("qlora", 1.0), curve("qlora", 2.0)]
        ).figure.data
        if line.mode == "lines"
    ]
    colours = [line.line.color for line in lines]
    assert colours == [palette.ROLES[name] for name in ("full", "lora", "qlora", "qlora")]
    assert lines[2].line.dash != lines[3].line.dash


def test_smoothing_follows_the_line_and_survives_a_lost_loss() -> None:
    assert smooth([2.0, 2.0, 2.0], 0.9) == pytest.approx([2.0, 2.0, 2.0])
    rough = [4.0, 0.0] * 20
    smoothed = smooth(rough, 0.9)
    assert max(smoothed[20:]) - min(smoothed[20:]) < 1
    broken = smooth([1.0, math.nan, 1.0], 0.6)
    assert math.isnan(broken[1])
    assert broken[2] == pytest.approx(1.0)


def test_a_smooth_line_keeps_the_raw_one_faint_and_log_scale_is_one() -> None:
    chart = curves([curve("lora", 3.0, 1.0)], log=True, smoothing=0.6)
    assert chart.figure.layout.yaxis.type == "log"
    assert any(line.opacity == 0.3 for line in chart.figure.data)


def test_bars_carry_wilsons_interval_and_the_title_does_not_overclaim() -> None:
    clear = compare(
        [curve("full", 1.0, after=Score(198, 200, 0.96, 1.0)), curve("lora", 1.0, after=Score(100, 200, 0.43, 0.57))]
    )
    assert plain(clear.title) == "Точнее всех Полное дообучение: 99 % точных ответов"
    bar = clear.figure.data[1]
    assert bar.error_x.array[0] == pytest.approx(7)
    assert bar.error_x.arrayminus[0] == pytest.approx(7)
    close = compare(
        [curve("full", 1.0, after=Score(196, 200, 0.95, 0.99)), curve("lora", 1.0, after=Score(194, 200, 0.94, 0.99))]
    )
    assert "перекрываются" in close.title
    assert "Ни один" in compare([curve("lora", 1.0)]).title


def test_forgetting_is_said_only_when_intervals_part() -> None:
    whole = Score(98, 100, 0.93, 0.99)
    hurt = Retention("add", whole, Score(60, 100, 0.50, 0.69))
    fine = Retention("repeat", whole, Score(96, 100, 0.90, 0.98))
    assert plain(retention([fine, hurt]).title) == "Больше всего забыто «сложение»: 98 % → 60 %"
    assert "на месте" in retention([fine]).title


def test_every_chart_has_units_words_and_lines_that_a_phone_shows() -> None:
    row = Retention("add", Score(1, 2, 0.1, 0.9), Score(1, 2, 0.1, 0.9))
    for chart in (curves([]), curves([curve("lora", 1.0)]), compare([]), retention([row])):
        assert chart.figure.layout.xaxis.title.text
        assert chart.alt.endswith(".")
        assert all(len(line) <= theme.TITLE_WIDTH for line in chart.figure.layout.title.text.split("<br>"))


def test_nothing_is_drawn_of_a_run_that_has_said_nothing() -> None:
    assert "появится" in curves([Curve("LoRA", RunSpec(), Story())]).title
