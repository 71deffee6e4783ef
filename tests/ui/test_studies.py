"""The map, forgetting, data, the race and schedules in a page: a guess first, the figure, a point as one's own run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from demos.finetuning import measured, plan
from demos.finetuning.plan import Wanted
from demos.finetuning.spec import RunSpec
from demos.params import read
from tests.demos.finetuning import invented
from ui.demos import LOOKS, frame

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]
SETS: dict[str, tuple[Callable[[], Wanted], ...]] = {
    "map": (plan.grid,),
    "forgetting": (plan.forgetting,),
    "data_size": (plan.data_size, plan.dirty),
    "methods": (lambda: plan.methods(measured.recorded),),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "FOLDER", tmp_path / "runs")
    frame.computed.cache_clear()
    return tmp_path / "runs"


def specs(name: str) -> list[RunSpec]:
    return [spec for each in SETS[name] for spec in each().specs]


def skip(tab: AppTest) -> AppTest:
    """The figure instead of the guess."""
    return next(button for button in tab.button if button.label == "Пропустить").click().run()


def link(tab: AppTest) -> RunSpec:
    proto = next(link.proto for link in tab.get("page_link") if link.proto.label == "Повторить эту точку")
    return read(RunSpec, {name: values[0] for name, values in parse_qs(proto.query_string).items()})


@pytest.mark.parametrize("name", list(SETS))
def test_without_recordings_the_points_are_offered(name: str, folder: Path, visit: Visit) -> None:
    tab = skip(visit("demo", name=f"finetuning.{name}"))
    assert not tab.exception
    assert "Записей этих запусков пока нет" in tab.warning[0].value
    assert not tab.get("plotly_chart")
    assert link(tab) in specs(name)


@pytest.mark.parametrize("name", list(SETS))
def test_a_recorded_figure_is_drawn_and_says_where_it_comes_from(name: str, folder: Path, visit: Visit) -> None:
    invented.record(specs(name), folder, lambda _: 190, lambda _: 15)
    tab = skip(visit("demo", name=f"finetuning.{name}"))
    assert not tab.exception
    assert not [warning.value for warning in tab.warning]
    assert len(tab.get("plotly_chart")) == 2
    assert any(caption.value.startswith("Записано 1 января 2026 года") for caption in tab.caption)
    point = next(caption.value for caption in tab.caption if ": " in caption.value and "Записано" in caption.value[5:])
    assert "1 января 2026 года" in point, "the chosen point says when it was recorded"
    assert link(tab) in specs(name)


@pytest.mark.parametrize("name", list(SETS))
@pytest.mark.parametrize("whole", [True, False])
def test_the_guess_is_answered_from_the_recordings_or_it_says_there_are_none(
    name: str, whole: bool, folder: Path
) -> None:
    if whole:
        invented.record(specs(name), folder, lambda _: 190, lambda _: 15)
    ask = LOOKS[f"finetuning.{name}"].ask
    assert ask is not None
    result = registry.call(f"finetuning.{name}", {})
    assert (0 <= ask.right(result) < len(ask.options)) == whole
    assert ("ещё не записана" in ask.tell(result)) != whole


def test_the_answers_of_the_guesses_follow_the_recordings(folder: Path) -> None:
    def right(name: str) -> int:
        ask = LOOKS[f"finetuning.{name}"].ask
        assert ask is not None
        return ask.right(registry.call(f"finetuning.{name}", {}))

    def always(many: int) -> Callable[[RunSpec], int]:
        return lambda _: many

    def where(many: int, chosen: Callable[[RunSpec], bool], other: int) -> Callable[[RunSpec], int]:
        return lambda spec: many if chosen(spec) else other

    for full, answer in ((199, 0), (182, 1), (120, 2)):  # before other recordings move the best rate
        invented.record(specs("methods"), folder, where(full, lambda spec: spec.method == "full", 180))
        assert right("methods") == answer
    for many, answer in ((4, 0), (30, 1), (120, 2)):
        invented.record(plan.data_size().specs, folder, always(many))
        assert right("data_size") == answer
    for many, answer in ((188, 0), (120, 1), (20, 2)):
        invented.record(plan.grid().specs, folder, where(many, lambda spec: spec.learning_rate > 0.01, 190))
        assert right("map") == answer
    for kept, answer in ((5, 0), (13, 1), (20, 2)):
        invented.record(plan.forgetting().specs, folder, always(190), always(kept))
        assert right("forgetting") == answer


def test_a_schedule_is_drawn_and_repeated_by_the_library(visit: Visit) -> None:
    tab = skip(visit("demo", name="finetuning.schedule"))
    assert not tab.exception
    assert len(tab.get("plotly_chart")) == 1
    values = {metric.label: metric.value for metric in tab.metric}
    assert values["Примеров в шаге"] == "16"
    assert "get_scheduler" in " ".join(code.value for code in tab.code)
    tab = visit("demo", name="finetuning.schedule", schedule="warmup_stable_decay", warmup="0.9", decay="0.9")
    assert not tab.exception
    assert "вместе длиннее" in tab.warning[0].value


def test_a_recipe_with_dirty_data_opens_with_its_title(visit: Visit) -> None:
    tab = visit("new_run", task="json_contradictory_30")
    assert not tab.exception
    task = next(box for box in tab.selectbox if box.label == "Задача")
    assert task.value == "json_contradictory_30"
    assert "Ответы в JSON: противоречия, 30 %" in task.options
