"""Charts of quantization say what the numbers show, in Russian, exactly and also in words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from charts import quantization, quantization_errors, quantization_levels
from charts.drawing import Drawing
from common.numbers import NBSP
from demos import registry

pytestmark = pytest.mark.slow


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "nf4": ("histogram", {}),
        "int8": ("histogram", {"scheme": "int8-absmax", "source": "outliers", "count": 4096}),
        "affine": ("histogram", {"scheme": "int4-affine", "source": "own", "outlier": 20}),
        "minimum": ("histogram", {"scheme": "int4-minimum", "source": "heavy", "count": 4096, "block": 0}),
        "nested": ("histogram", {"double": True}),
        "schemes": ("schemes", {"count": 16_384}),
        "rough": ("schemes", {"count": 16_384, "source": "outliers"}),
        "blocks": ("blocks", {}),
        "short": ("blocks", {"source": "own"}),
        **{f"levels-{table}": ("levels", {"table": table}) for table in ("nf4", "fp4", "bins", "uniform")},
        "split": ("outliers", {}),
        "whole": ("outliers", {"threshold": 0, "planted": 0}),
    }
    return {key: registry.call(f"quantization.{name}", arguments) for key, (name, arguments) in asked.items()}


@pytest.fixture(scope="module")
def drawn(results: dict[str, Any]) -> dict[str, Drawing]:
    makers = {
        "schemes": quantization_errors.side_by_side,
        "rough": quantization_errors.side_by_side,
        "blocks": quantization_errors.by_block,
        "short": quantization_errors.by_block,
        "split": quantization_levels.split,
        "whole": quantization_levels.split,
    }
    return {
        key: makers.get(key, quantization_levels.origins if key.startswith("levels") else quantization.lab)(result)
        for key, result in results.items()
    }


def test_titles_state_what_came_out(drawn: dict[str, Drawing], results: dict[str, Any]) -> None:
    titles = [plain(chart.title) for chart in drawn["nf4"].charts]
    assert titles[0] == "NF4, блок 64: после осталось 22 932 разных числа, ошибка 10,0 %"
    assert titles[1].startswith("Занято уровней: 16 из 16")
    assert titles[2].startswith("Блок 1 из 1 728: масштаб 0,3")
    assert "с двойным квантованием" in drawn["nested"].charts[0].title
    assert "один масштаб на весь тензор" in drawn["minimum"].charts[0].title
    assert plain(drawn["blocks"].charts[0].title) == "NF4: блок 16 — 8,18 %, весь тензор — 18,2 %"
    assert (
        plain(drawn["levels-nf4"].charts[0].title) == "NF4: на уровень приходится от 1,7 % до 9,3 % чисел, а не поровну"
    )
    assert "4 столбца из 192" in plain(drawn["split"].charts[0].title)
    assert "Ничего не отделено" in drawn["whole"].charts[0].title


def test_first_numbers_are_exact(drawn: dict[str, Drawing]) -> None:
    shown = {number.label: plain(number.value) for number in drawn["nf4"].numbers}
    assert shown == {"Ошибка": "10,0 %", "Сигнал к шуму": "20,0 дБ", "Бит на число": "4,500", "Байтов": "62,2 КБ"}
    nested = {number.label: number.value for number in drawn["nested"].numbers}
    assert nested["Бит на число"] == "4,127"
    levels = {number.label: number.value for number in drawn["levels-nf4"].numbers}
    assert (levels["Отличие"], levels["Точный ноль"]) == ("1,1·10⁻⁷", "есть")
    assert {number.label: number.value for number in drawn["levels-bins"].numbers}["Точный ноль"] == "нет"


def test_marks_are_the_numbers_of_the_result(drawn: dict[str, Drawing], results: dict[str, Any]) -> None:
    result, (bars, levels, block) = results["nf4"], drawn["nf4"].charts
    assert [(y or 0) / 100 for y in bars.figure.data[1].y] == pytest.approx(result.bins.after)
    assert [y / 100 for y in levels.figure.data[2].y] == pytest.approx(result.grid.usage)
    assert list(levels.figure.data[2].x) == list(result.grid.levels)
    assert list(block.figure.data[1].y) == list(result.lens.values)
    assert list(block.figure.data[2].y) == list(result.lens.restored)
    assert len(block.figure.layout.shapes) == 16
    rows = results["schemes"].rows[2:]
    assert list(drawn["schemes"].charts[0].figure.data[1].x) == pytest.approx(
        [100 * row.errors.relative for row in rows]
    )


def test_codes_bits_and_bytes_agree_in_the_table(drawn: dict[str, Drawing]) -> None:
    for key, bits in (("nf4", 4), ("affine", 4), ("int8", 8)):
        rows = drawn[key].tables[0].rows
        for first, second in zip(rows[::2], rows[1::2], strict=True):
            byte = str(first[3]) + str(second[3]) if bits == 4 else str(first[3])
            assert f"0x{int(byte, 2):02X}" == first[4]
    assert "нулевая точка z" in drawn["affine"].tables[0].note
    assert "номером · absmax" in drawn["nf4"].tables[0].note


def test_synthetic_numbers_are_called_so(drawn: dict[str, Drawing]) -> None:
    for key in ("int8", "minimum", "schemes", "rough"):
        assert any("придуманы генератором" in note for note in drawn[key].notes)
    for key in ("nf4", "affine", "blocks"):
        assert not any("придуманы" in note for note in drawn[key].notes)
    assert any("подсажены нарочно" in note for note in drawn["split"].notes)
    assert any("bitsandbytes: quantize_4bit" in note for note in drawn["nf4"].notes)
    assert any("PyTorch" in note for note in drawn["minimum"].notes)


def test_every_chart_has_words_units_and_a_hover(drawn: dict[str, Drawing]) -> None:
    for key, drawing in drawn.items():
        for chart in drawing.charts:
            assert chart.figure.layout.xaxis.title.text, key
            assert len(chart.alt) > len(chart.title), key
            assert not re.search(r"\b(nan|None|inf)\b", f"{chart.alt} {chart.title}"), key
            assert any(trace.hovertemplate for trace in chart.figure.data), key
