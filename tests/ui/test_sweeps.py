"""Figures of recorded runs in a page: what is missing is said, what is there is drawn, a point is repeated by link."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from demos.finetuning import measured, plan
from demos.finetuning.spec import RunSpec
from demos.params import read
from jobs.queue import Place
from tests.demos.finetuning import invented
from ui import runs
from ui.demos import frame

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]
NAMES = ("rates", "curves", "ranks", "alphas")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "FOLDER", tmp_path / "runs")
    frame.computed.cache_clear()
    return tmp_path / "runs"


def repeat(tab: AppTest) -> RunSpec:
    """The recipe that the link to a new run carries."""
    link = next(link.proto for link in tab.get("page_link") if link.proto.label == "Повторить эту точку")
    return read(RunSpec, {name: values[0] for name, values in parse_qs(link.query_string).items()})


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_without_recordings_says_so_and_offers_its_points(name: str, folder: Path, visit: Visit) -> None:
    tab = visit("demo", name=f"finetuning.{name}")
    assert not tab.exception
    assert "Записей этих запусков пока нет" in tab.warning[0].value
    assert not tab.get("plotly_chart")
    assert repeat(tab) in plan.sets()[name].specs


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_figure_is_drawn_with_its_words(name: str, folder: Path, visit: Visit) -> None:
    invented.record(plan.sets()[name].specs, folder, lambda _: 190)
    tab = visit("demo", name=f"finetuning.{name}")
    assert not tab.exception
    assert not tab.warning
    assert len(tab.get("plotly_chart")) == 1
    table = [text.value for text in tab.markdown if text.value.startswith("| метод")]
    assert bool(table) == (name == "curves")
    if table:
        assert "| LoRA | 94,7 | 90,4 | 96,9 |" in table[0]  # as invented, with the interval of all answers


def test_any_point_opens_as_a_run_of_ones_own(folder: Path, visit: Visit) -> None:
    tab = visit("demo", name="finetuning.ranks")
    tab.selectbox[0].set_value(len(plan.small_ranks())).run()  # the first of the second task
    assert (repeat(tab).task, repeat(tab).rank, repeat(tab).targets) == ("reference", 1, plan.RANK_TARGETS)
    assert "Справочник, r = 1: записи нет." in [caption.value for caption in tab.caption]


def test_a_preset_chooses_what_is_compared_and_a_bad_one_is_told(folder: Path, visit: Visit) -> None:
    invented.record(plan.rates().specs, folder, lambda _: 190)
    for metric, words in {"loss": "нат на токен", "exact": "точных ответов"}.items():
        chart = visit("demo", name="finetuning.rates", metric=metric).get("plotly_chart")[0]
        figure = json.loads(chart.proto.spec)
        assert words in figure["layout"]["yaxis"]["title"]["text"]
    tab = visit("demo", name="finetuning.rates", metric="вес")
    assert not tab.exception
    assert "Что сравниваем" in tab.warning[0].value


def test_a_recorded_run_is_replayed_as_far_as_ones_own_has_waited(folder: Path) -> None:
    spec = dataclasses.replace(RunSpec(), alpha=32)
    invented.record([spec], folder, lambda _: 190)
    run = runs.Run(1, "", "a", "a", True, "queued", False, datetime.now(UTC), spec, None, 0, 0)
    far = Place(2, 80.0, 40.0)
    assert runs.meanwhile(run, Place(1, 42.0, 2.0)) is None, "one's own begins soon"
    begun = runs.meanwhile(run, far)
    assert begun is not None
    assert not begun.over
    later = runs.meanwhile(dataclasses.replace(run, created=run.created - timedelta(seconds=60)), far)
    assert later is not None
    assert later.finished is not None
    assert runs.meanwhile(dataclasses.replace(run, spec=RunSpec(seed=5)), far) is None
    assert runs.meanwhile(dataclasses.replace(run, dataset=3), far) is None
