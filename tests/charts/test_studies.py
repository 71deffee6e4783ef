"""The map, forgetting, data and the race: titles are computed from the runs, all of it is said, nothing too early."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from charts import data_size, forgetting, hyperparameters, origin, race, schedule, theme
from charts.chart import Chart
from charts.drawing import Drawing
from charts.retention import share_of
from common.numbers import NBSP
from demos import registry
from demos.finetuning import measured, plan, step_cost
from demos.finetuning.plan import Wanted
from demos.finetuning.spec import RunSpec
from tests.demos.finetuning import invented

DRAW: dict[str, Callable[[Any], Drawing]] = {
    "map": hyperparameters.drawn,
    "forgetting": forgetting.drawn,
    "data_size": data_size.drawn,
    "methods": race.drawn,
    "schedule": schedule.drawn,
}
SETS: dict[str, tuple[Callable[[], Wanted], ...]] = {
    "map": (plan.grid,),
    "forgetting": (plan.forgetting,),
    "data_size": (plan.data_size, plan.dirty),
    "methods": (lambda: plan.methods(measured.recorded),),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    return tmp_path


def recorded(
    name: str,
    folder: Path,
    right: Callable[[RunSpec], int | None],
    kept: Callable[[RunSpec], int | None] = lambda _: 20,
    fields: Mapping[str, str] | None = None,
) -> tuple[Any, Drawing]:
    for each in SETS[name]:
        invented.record(each().specs, folder, right, kept)
    result = registry.call(f"finetuning.{name}", fields or {})
    return result, DRAW[name](result)


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def by_product(spec: RunSpec) -> int | None:
    """Best where rate × α/r is 0.01: the larger the scale, the smaller the rate; rank 4 is the best of the ranks."""
    product = spec.learning_rate * spec.alpha / spec.rank
    if product > 0.1:
        return None
    return (190 if 0.002 < product < 0.013 else 100) - (0 if spec.rank == 4 else 30)


def test_the_map_frames_the_best_cell_and_marks_what_chance_cannot_tell_from_it(folder: Path) -> None:
    result, drawing = recorded("map", folder, by_product)
    heat, dots = drawing.charts[0].figure.data
    (frame,) = drawing.charts[0].figure.layout.shapes
    column, row = (frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2
    assert (heat.x[round(column)], heat.y[round(row)]) == ("0,0015", "4")
    assert result.best.rank == 4
    best = 190 / 200
    row = list(heat.y).index("4")
    assert heat.z[row][list(heat.x).index("0,0015")] == pytest.approx(100 * best, abs=0.6)
    assert set(dots.y) <= {"4"}, "ranks 1 and 16 answer thirty questions fewer: told apart"
    assert {(cell.rank, cell.rate) for cell in result.shown if cell.level} == {(4, 0.0015), (4, 0.005)}
    assert result.best.scale == 0.5, "the first of equals; its own cell is not marked as equal to itself"
    assert "r = 4, скорость 0,0015" in plain(drawing.charts[0].title)


def test_the_map_says_how_the_best_rate_moves_with_alpha(folder: Path) -> None:
    _, drawing = recorded("map", folder, by_product)
    assert plain(drawing.charts[1].title).startswith("Чем больше α/r, тем меньше нужна скорость: α/r = 0,5 — 0,005")
    _, drawing = recorded("map", folder, lambda spec: 190 if spec.learning_rate == 0.005 else 100)
    assert drawing.charts[1].title.startswith("Лучшая скорость: ")


def test_a_diverged_cell_says_so_and_another_layer_is_another_map(folder: Path) -> None:
    result, drawing = recorded("map", folder, by_product, fields={"scale": "8"})
    heat = drawing.charts[0].figure.data[0]
    assert heat.text[0][-1] == "разошлось"
    assert heat.z[0][-1] is None
    assert {cell.scale for cell in result.shown} == {8}
    assert len(drawing.tables[0].rows) == 36
    assert sum(row[-1] == "разошлось" for row in drawing.tables[0].rows) == 3


def test_forgetting_is_counted_over_all_old_skills(folder: Path) -> None:
    def kept(spec: RunSpec) -> int:
        return 20 if spec.replay else 4

    result, drawing = recorded("forgetting", folder, lambda _: 180, kept)
    none, some = result.line.points[0], result.line.points[1]
    assert (none.old.right, none.old.of) == (8, 40)
    assert (some.old.right, some.before.right) == (30, 30), "the base itself knew half of the second skill"
    assert "старые умения 20 % → 75 %" in plain(drawing.charts[0].title)
    assert "новое — разница в пределах погрешности" in drawing.charts[0].title
    new, old, before = drawing.charts[0].figure.data
    assert list(old.y) == [pytest.approx(100 * share_of(point.old)) for point in result.line.points]
    assert list(before.y) == [75.0] * len(plan.REPLAYS)
    assert list(new.x) == [forgetting.TICKS["replay"](share) for share in plan.REPLAYS]
    assert plain(drawing.charts[1].title) == "Лучшее равновесие — старых данных 2 %: новое 90 %, старое 75 %"
    assert "«LoRA забывает меньше»" not in " ".join(drawing.notes)


def test_full_tuning_is_compared_with_lora_by_the_runs_alone(folder: Path) -> None:
    def right(spec: RunSpec) -> int:
        return 180 if spec.method == "full" else 120

    _, drawing = recorded("forgetting", folder, right, lambda spec: 15 if spec.method == "full" else 10)
    assert "полное дообучение на скорости 0,0001 выучило больше и забыло не больше" in " ".join(drawing.notes)


def test_every_line_of_forgetting_changes_one_thing_of_one_recipe() -> None:
    changed = {"steps": {"steps"}, "rate": {"learning_rate"}, "rank": {"rank", "alpha"}, "replay": {"replay"}}
    points = plan.forgetting().points
    base = next(point.spec for point in points if point.series == "replay" and point.x == 0)
    for name, fields in changed.items():
        line = [point for point in points if point.series == name]
        assert base in [point.spec for point in line], "all lines meet in one run"
        for point in line:
            other = {
                one.name
                for one in dataclasses.fields(RunSpec)
                if getattr(point.spec, one.name) != getattr(base, one.name)
            }
            assert other <= fields
            assert getattr(point.spec, next(iter(sorted(fields, reverse=True)))) == point.x


def test_the_learning_curve_says_from_where_more_data_does_not_show(folder: Path) -> None:
    def right(spec: RunSpec) -> int:
        if spec.task.startswith("json_large") or spec.task == "json_other":
            return {10: 20, 30: 60, 100: 120, 300: 175}.get(spec.examples, 190)
        return {"json_contradictory_30": 150, "json_contradictory_50": 90, "intents_skewed": 180}.get(spec.task, 185)

    result, drawing = recorded("data_size", folder, right)
    assert "с 1 000 прибавки уже не видно" in plain(drawing.charts[0].title)
    assert [spot.recorded for spot in result.sizes] == [2] * 6
    title = plain(drawing.charts[1].title)
    assert title == "С какой доли грязи ответы хуже: противоречия с 30 %, сломанный формат и до половины незаметно"
    assert "90 % с перекосом — разница в пределах погрешности" in plain(drawing.notes[0])
    line, rings = drawing.charts[0].figure.data
    assert list(line.x) == list(plan.SIZES)
    assert len(rings.x) == 12
    assert "успевает увидеть 2 560, по разу" in plain(" ".join(drawing.notes))
    assert result.repeats == 160, "ten examples are one step, not ten sixteenths of one"


def test_sets_of_data_differ_in_the_data_alone() -> None:
    for points in (plan.data_size().points, [p for p in plan.dirty().points if p.spec.task.startswith("json")]):
        recipes = {dataclasses.replace(point.spec, task="", examples=0, seed=0) for point in points}
        assert len(recipes) == 1
    pair = [point.spec for point in plan.dirty().points if point.spec.task.startswith("intents")]
    assert pair[0] == RunSpec(task="intents")
    assert {dataclasses.replace(spec, task="", seed=0) for spec in pair} == {RunSpec(task="")}


def test_the_race_finds_the_cheapest_of_the_best_and_who_is_beaten_in_both(folder: Path) -> None:
    def right(spec: RunSpec) -> int:
        return {"full": 196, "lora": 190, "ia3": 120}.get(spec.method, 60)

    for spec in plan.methods(measured.recorded).specs:
        (file,) = invented.record([spec], folder, right)
        file.write_text(
            file.read_text().replace('"trainable":1000', f'"trainable":{PARAMETERS.get(spec.method, 5000)}')
        )
    result = registry.call("finetuning.methods", {})
    drawing = race.drawn(result)
    assert drawing.charts[0].title.startswith("Дешевле всех равных лучшему — ")
    assert "LoRA" in drawing.charts[0].title
    front = {one.series.name for one in result.runners if one.front}
    assert {"full", "ia3"} <= front
    assert "dora" not in front
    assert {one.series.name for one in result.runners if one.level} == {"full", "lora", "qlora"}
    assert len(drawing.tables[0].rows) == len(result.runners) == 13
    named = "<br>".join(note.text for note in drawing.charts[0].figure.layout.annotations).replace(", ", "<br>")
    assert len(named.split("<br>")) == 13, "every method is named once"


def test_seconds_are_those_measured_apart_and_without_them_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invented.record(plan.methods(measured.recorded).specs, folder, lambda _: 190)
    monkeypatch.setattr(step_cost, "FILE", folder / "steps.json")
    drawing = race.drawn(registry.call("finetuning.methods", {"price": "seconds"}))
    assert "scripts/measure_steps.py" in drawing.warnings[0]
    assert not drawing.charts
    data = {"base": measured.base(), "script": "s", "date": "2026-01-02T00:00:00+00:00", "versions": {}}
    data |= {"machine": {"processor": "p", "threads": 1}, "steps": {"lora": 0.1, "full": 0.2}}
    step_cost.FILE.write_text(json.dumps(data))
    result = registry.call("finetuning.methods", {"price": "seconds"})
    assert {one.series.name: one.price for one in result.runners} == {"lora": 0.1, "full": 0.2}
    assert len(result.others) == 11
    assert "2 января 2026 года" in " ".join(race.drawn(result).notes)
    step_cost.FILE.write_text(json.dumps({**data, "base": "another"}))
    assert step_cost.steps() is None


def test_the_committed_step_times_cover_every_method() -> None:
    found = step_cost.steps()
    assert found is not None
    assert set(found.seconds) == {point.series for point in plan.methods(measured.recorded).points}
    assert all(0.01 < seconds < 2 for seconds in found.seconds.values())


PARAMETERS = {"full": 2_000_000, "lora": 200_000, "ia3": 3000}


@pytest.mark.parametrize("name", list(SETS))
def test_without_recordings_there_is_a_sentence_and_no_chart(name: str, folder: Path) -> None:
    drawing = DRAW[name](registry.call(f"finetuning.{name}", {}))
    assert not drawing.charts
    assert "пока нет" in drawing.warnings[0]


@pytest.mark.parametrize("name", list(SETS))
def test_half_of_the_recordings_draw_no_conclusion(name: str, folder: Path) -> None:
    for each in SETS[name]:
        specs = each().specs
        invented.record(specs[: len(specs) // 2], folder, lambda _: 190, lambda _: 10)
    drawing = DRAW[name](registry.call(f"finetuning.{name}", {}))
    assert "Не хватает" in drawing.warnings[0]
    assert drawing.charts


@pytest.mark.parametrize("metric", ["exact", "loss"])
@pytest.mark.parametrize("name", list(DRAW))
def test_every_chart_has_words_units_and_the_house_look(name: str, metric: str, folder: Path) -> None:
    fields = {"metric": metric} if name in ("map", "data_size", "methods") else {}
    if name in SETS:
        _, drawing = recorded(name, folder, lambda spec: 190 - spec.seed, fields=fields)
    else:
        drawing = DRAW[name](registry.call(f"finetuning.{name}", {}))
    for chart in drawing.charts:
        _proper(chart)
    assert drawing.tables
    assert all(len(row) == len(table.columns) for table in drawing.tables for row in table.rows)


def _proper(chart: Chart) -> None:
    layout = chart.figure.layout
    assert chart.alt.startswith(chart.title)
    assert chart.alt.endswith(".")
    assert ".." not in chart.alt
    assert layout.separators == f",{NBSP}"
    assert all(len(line) <= theme.TITLE_WIDTH for line in layout.title.text.split("<br>"))
    assert not re.search(r"\d\.\d", chart.alt + layout.title.text)
    assert layout.xaxis.title.text


def test_a_figure_says_when_and_by_what_it_was_recorded(folder: Path) -> None:
    assert origin.said(measured.origin(["0" * 16])) == ()
    invented.record([RunSpec(seed=1), RunSpec(seed=2)], folder, lambda _: 190)
    (said,) = origin.said(measured.origin(RunSpec(seed=seed).fingerprint for seed in (1, 2, 3)))
    assert plain(said) == "Записано 1 января 2026 года; 2 запуска, зёрна 1, 2; tests; torch 0."


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-27T23:00:00+00:00", "2026-11-28T01:00:00+00:00", "27–28 ноября 2026 года"),
        ("2026-11-30T23:00:00+00:00", "2026-12-01T01:00:00+00:00", "с 30 ноября 2026 года по 1 декабря 2026 года"),
    ],
)
def test_days_of_recording_are_said_once(first: str, last: str, said: str) -> None:
    made = measured.Origin(1, ("s",), first, last, (0,), (), ("AMD EPYC",), (1,))
    assert said in origin.said(made)[0]
    assert "AMD EPYC (1 поток)" in plain(origin.said(made)[0])
