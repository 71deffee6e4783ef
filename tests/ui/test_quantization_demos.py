"""Quantization in a page: sources, a file of one's own, what is out of reach, and sentences instead of failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from common.numbers import NBSP
from demos import registry
from demos.quantization import checkpoint
from jobs import compute
from ui import guesses
from ui.demos import frame, quantization, quantization_source

Visit = Callable[..., AppTest]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def computed_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demos themselves, in this process: the way to the other one has tests of its own."""
    monkeypatch.setattr(compute, "call", registry.call)
    monkeypatch.setattr(frame.guesses, "recall", lambda _: guesses.Guess(None, fresh=False))
    yield
    frame.computed.cache_clear()


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace(NBSP, " ") for metric in tab.metric}


def named(tab: AppTest, kind: str, ending: str) -> Any:
    return next(each for each in tab.get(kind) if str(each.key).endswith(ending))


@pytest.mark.parametrize("name", list(quantization.LOOKS))
def test_every_demo_opens_and_every_guess_has_its_answer(name: str, visit: Visit) -> None:
    tab = visit("demo", name=name)
    assert not tab.exception
    assert not tab.warning
    ask = quantization.LOOKS[name].ask
    assert ask is not None
    result = registry.call(name, {})
    assert 0 <= ask.right(result) < len(ask.options)
    assert ask.tell(result)


def test_the_guesses_name_what_the_demos_hold() -> None:
    lab = registry.call("quantization.histogram", {})
    ask = quantization.LOOKS["quantization.histogram"].ask
    assert ask is not None
    assert "110 592" in ask.question
    assert lab.origin.count == 110_592
    split = registry.call("quantization.outliers", {})
    assert (len(split.planted), split.features) == (4, 192)
    assert max(split.columns) == pytest.approx(40, abs=2)


def test_the_scheme_and_the_block_change_the_price(visit: Visit) -> None:
    tab = visit("demo", name="quantization.histogram")
    assert metrics(tab)["Бит на число"] == "4,500"
    named(tab, "checkbox", "field-double").check().run()
    assert metrics(tab)["Бит на число"] == "4,127"
    named(tab, "selectbox", "field-scheme").set_value("int4-affine").run()
    assert named(tab, "checkbox", "field-double").disabled
    assert metrics(tab)["Бит на число"] == "4,625"
    named(tab, "select_slider", "field-block").set_value(0).run()
    assert metrics(tab)["Бит на число"] == "4,000"
    assert not tab.exception
    assert not tab.warning


def test_numbers_of_ones_own_and_a_typing_error(visit: Visit) -> None:
    tab = visit("demo", name="quantization.histogram", source="own", own="1 2 3", scheme="int8-affine")
    assert metrics(tab)["Ошибка"] != ""
    named(tab, "text_area", "field-own").set_value("1 2 пять").run()
    assert "«пять»" in tab.warning[0].value
    named(tab, "text_area", "field-own").set_value("0 0").run()
    assert "нули" in tab.warning[0].value
    assert not tab.exception


def test_an_address_with_a_block_in_between_and_a_bad_one(visit: Visit) -> None:
    tab = visit("demo", name="quantization.histogram", block="100", source="normal", count="5000")
    assert metrics(tab)["Бит на число"] == "4,320"
    assert "от 16 до 4096" in visit("demo", name="quantization.histogram", block="5").warning[0].value


def upload(tab: AppTest, content: bytes) -> AppTest:
    uploader = next(each for each in tab.get("file_uploader") if str(each.key).endswith("-file"))
    return uploader.set_value(("w.safetensors", content, "application/octet-stream")).run()


def test_a_file_of_ones_own_is_kept_looked_at_and_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tab = visit("demo", name="quantization.histogram", source="file")
    assert "Загрузите файл" in tab.warning[0].value
    upload(tab, b"PK\x03\x04 a pickle called safetensors")
    assert "pickle" in tab.error[0].value
    upload(tab, b"")
    assert "пуст" in tab.error[0].value
    save_file({"one.weight": torch.randn(64, 4), "two.weight": torch.tensor([float("nan")] * 64)}, tmp_path / "w")
    upload(tab, (tmp_path / "w").read_bytes())
    assert not tab.error
    assert metrics(tab)["Бит на число"] == "4,500"
    assert list(named(tab, "selectbox", "field-tensor").options) == ["one.weight", "two.weight"]
    named(tab, "selectbox", "field-tensor").set_value("two.weight").run()
    assert "NaN" in tab.warning[0].value
    assert not tab.exception


def test_a_name_that_hides_markup_never_reaches_the_page() -> None:
    head = b'{"<script>": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    content = len(head).to_bytes(8, "little") + head + b"\0" * 4
    with pytest.raises(checkpoint.CheckpointError, match="не похоже на имя слоя"):
        quantization_source._look(checkpoint.head(content), len(content))
