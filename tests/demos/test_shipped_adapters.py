"""The adapters of the course: whole, of the base of now, small, and damaged ones are told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError


def test_every_adapter_is_there_and_knows_its_task() -> None:
    assert shipped.faults() == []
    for name in shipped.SPECS:
        known = shipped.facts(name)
        assert known.stored.right > 0.85 * known.stored.of
        assert known.before.right < 0.05 * known.before.of
        assert {one.dtype for one in shipped.adapter(name).tensors} == {"F16"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("base", "0" * 16, "обучен на другой базовой модели"),
        ("spec", {**shipped.SPECS["json"].to_json(), "steps": 7}, "обучен по другому рецепту"),
        ("made", None, "не читается"),
    ],
)
def test_a_stale_adapter_is_told(tmp_path: Path, field: str, value: object, said: str) -> None:
    shutil.copytree(shipped.FOLDER, tmp_path / "adapters")
    file = tmp_path / "adapters" / "json" / shipped.MADE
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}))
    (sentence,) = shipped.faults(tmp_path / "adapters")
    assert said in sentence
    assert "scripts/train_adapters.py json" in sentence


def test_a_missing_or_cut_file_is_told(tmp_path: Path) -> None:
    shutil.copytree(shipped.FOLDER, tmp_path / "adapters")
    weights = tmp_path / "adapters" / "polite" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert "polite" in shipped.faults(tmp_path / "adapters")[0]
    with pytest.raises(AdapterError, match="в курсе нет"):
        shipped.adapter("../json")
