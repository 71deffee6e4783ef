"""The repacking trap: the record shows it, a few real steps show it again where the processor can."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from demos import registry
from demos.params import ParamsError
from demos.quantization import trap


def test_the_record_splits_after_the_first_evaluation_and_not_before() -> None:
    first, *later = registry.call("quantization.trap", {}).points
    assert (first.step, first.plain) == (20, first.evaluated)
    assert [point.step for point in later] == [40, 60]
    assert all(point.evaluated > 2 * point.plain for point in later)
    assert trap.faults() == []


def test_a_missing_or_foreign_record_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trap.trap(trap.Params())
    monkeypatch.setattr(trap, "FILE", tmp_path / "trap.json")
    with pytest.raises(ParamsError, match="Записи о переупаковке нет"):
        trap.trap(trap.Params())
    trap.write(found.points, found.made, trap.FILE)
    assert trap.trap(trap.Params()) == found
    trap.FILE.write_text(trap.FILE.read_text().replace('"base":"', '"base":"0'))
    assert "AVX512-BF16" in trap.faults()[0]


@pytest.mark.slow
def test_a_few_real_steps_split_where_the_processor_repacks(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from bitsandbytes.functional import has_avx512bf16

    torch.set_num_threads(1)
    for name, value in (("STEPS", 5), ("EVERY", 2), ("BATCH", 4), ("ASKED", 2)):
        monkeypatch.setattr(trap, name, value)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*autograd kernel")
        plain, evaluated = trap.losses(evaluations=False), trap.losses(evaluations=True)
    assert plain[:2] == evaluated[:2]
    if has_avx512bf16():  # elsewhere it cannot be shown
        assert plain[3:] != evaluated[3:]
    else:
        assert plain == evaluated
