"""Loss under quantization: the Hessian's product against differences, the change against another way to measure it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demos import registry
from demos.params import ParamsError
from demos.sensitivity import expansion, kinds, layer, recorded, snippets
from demos.sensitivity.layer import ALL, Params

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(one_thread: None) -> tuple[expansion.Batch, ...]:
    """A few texts of every length: enough for derivatives."""
    return expansion.batches()[::5]


class TestDerivatives:
    pytestmark = slow

    @pytest.mark.parametrize(
        ("name", "kind", "block"), [("1.v_proj", "nf4", 64), ("0.down_proj", "int4", 256), ("3.q_proj", "int2", 1024)]
    )
    def test_both_terms_are_those_of_finite_differences(
        self, data: tuple[expansion.Batch, ...], name: str, kind: str, block: int
    ) -> None:
        """The loss itself, moved a little to both sides; float64 leaves eight digits of the second difference."""
        loaded, direction, step = expansion.model(), layer.error(name, kind, block), 1e-3
        here, (terms,) = expansion.expand(loaded, data, [direction])
        there, back = (expansion.moved(loaded, data, direction, times).loss for times in (step, -step))
        assert (there - back) / (2 * step) == pytest.approx(terms.first, rel=1e-4)
        assert (there - 2 * here.loss + back) / (2 * step**2) == pytest.approx(terms.second, rel=1e-3)

    def test_all_layers_at_once_bend_as_one_direction(self, data: tuple[expansion.Batch, ...]) -> None:
        loaded, direction, step = expansion.model(), layer.error(ALL, "int8", 64), 1e-2
        here, (terms,) = expansion.expand(loaded, data, [direction])
        there, back = (expansion.moved(loaded, data, direction, times).loss for times in (step, -step))
        assert (there - back) / (2 * step) == pytest.approx(terms.first, rel=1e-4)
        assert (there - 2 * here.loss + back) / (2 * step**2) == pytest.approx(terms.second, rel=1e-3)

    def test_weights_are_given_back_and_nothing_is_left_trainable(self, data: tuple[expansion.Batch, ...]) -> None:
        loaded = expansion.model()
        before = {name: weight.clone() for name, weight in expansion.weights(loaded).items()}
        direction = layer.error("2.o_proj", "int2", 64)
        expansion.expand(loaded, data[:1], [direction])
        expansion.moved(loaded, data[:1], direction)
        assert all((weight == before[name]).all() for name, weight in expansion.weights(loaded).items())
        assert not any(weight.requires_grad for weight in loaded.parameters())


@pytest.mark.usefixtures("one_thread")
class TestMeasured:
    pytestmark = slow

    def test_the_change_is_that_of_the_real_model_with_the_weights_of_bitsandbytes(self) -> None:
        """Transformers' own float32 model, its layer replaced by a Linear4bit, the course's own loss and answers."""
        import bitsandbytes

        from demos.finetuning import base_model, evaluate
        from demos.finetuning.quantized import repair

        result = layer.layer(Params("1.v_proj", "nf4", 64))
        model, tokenizer = base_model.load(), base_model.tokenizer()
        chats = [example.messages for example in expansion.examples()]
        before = evaluate.loss(model, tokenizer, chats).mean
        attention = model.model.layers[1].self_attn
        known = attention.v_proj.weight.detach()
        quantized = bitsandbytes.nn.Linear4bit(192, 192, bias=False, quant_type="nf4", compress_statistics=False)
        quantized.weight = bitsandbytes.nn.Params4bit(
            known.clone(), requires_grad=False, quant_type="nf4", compress_statistics=False, blocksize=64
        )
        attention.v_proj = quantized.to("cpu")
        repair(model)
        after = evaluate.loss(model, tokenizer, chats).mean
        assert result.loss == pytest.approx(before, abs=1e-6)
        assert result.change == pytest.approx(after - before, abs=1e-6)  # float32's noise
        assert result.change == pytest.approx(result.estimate, rel=0.02)
        said = evaluate.greedy(model, tokenizer, [example.prompt for example in expansion.examples()], most=48)
        right = sum(
            evaluate.is_right(text, example.answer) for text, example in zip(said, expansion.examples(), strict=True)
        )
        assert result.exact_after == right

        kept = point("1.v_proj", "nf4", 64)
        assert (result.change, result.first, result.second) == pytest.approx(
            (kept.change, kept.first, kept.second), rel=1e-6
        )
        assert (result.relative_error, result.exact_after) == (pytest.approx(kept.relative_error), kept.exact)

    def test_the_code_to_take_along_says_what_was_recorded(self) -> None:
        scope = dict[str, Any]()
        exec(snippets.layer(Params("3.o_proj", "fp4", 1024)).replace("print(", "shown = ("), scope)  # noqa: S102
        kept = point("3.o_proj", "fp4", 1024)
        assert scope["shown"] == pytest.approx((kept.change, kept.first, kept.estimate), rel=1e-6)


def point(name: str, kind: str, block: int) -> recorded.Point:
    found = recorded.read()
    assert found is not None
    return next(each for each in found.points if (each.layer, each.kind, each.block) == (name, kind, block))


class TestRounding:
    pytestmark = slow

    @pytest.mark.parametrize(("kind", "levels"), [("int2", 3), ("int3", 7), ("int4", 15), ("int8", 255), ("nf4", 16)])
    def test_a_block_has_so_many_levels_and_keeps_its_largest(self, kind: str, levels: int) -> None:
        import torch

        weight = torch.randn(8, 8192, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        weight[3] = 0
        back = kinds.rounded(weight, kind, 1024)
        for before, after in zip(weight.reshape(-1, 1024), back.reshape(-1, 1024), strict=True):
            assert len(after.unique()) <= levels
            assert after.abs().max().item() == pytest.approx(before.abs().max().item(), rel=1e-6)
        assert (back[3] == 0).all()

    def test_by_hand(self) -> None:
        import torch

        weight = torch.tensor([[7.0, -3.4, 0.6, 0.2] * 8])
        assert kinds.rounded(weight, "int4", 32)[0, :4].tolist() == [7.0, -3.0, 1.0, 0.0]
        assert kinds.bits_per_weight("int4", 64) == 4.5


def test_the_recorded_map_is_whole() -> None:
    assert recorded.faults() == []
    result = registry.call("sensitivity.map", {"kind": "int8"})
    misses = {miss.kind: miss.both for miss in result.misses}
    assert misses["int8"] < misses["nf4"] < misses["int2"]  # the smaller ε, the better two terms
    assert [point.layer for point in result.layers] == list(expansion.NAMES)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base": "0" * 16}, "другой базовой модели"),
        ({"each": 3}, "других примерах"),
        ({"version": 0}, "не читается"),
        ({"columns": ["layer"]}, "не читается"),
    ],
)
def test_a_stale_map_is_a_fault(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    file = tmp_path / "sensitivity.json"
    file.write_text(json.dumps(json.loads(recorded.FILE.read_text()) | change))
    assert sentence in recorded.faults(file)[0]


def test_a_map_with_holes_is_a_fault(tmp_path: Path) -> None:
    data = json.loads(recorded.FILE.read_text())
    data["points"] = data["points"][2:]
    file = tmp_path / "sensitivity.json"
    file.write_text(json.dumps(data))
    assert "не хватает 2" in recorded.faults(file)[0].replace("\u00a0", " ")
    assert "нет или она не читается" in recorded.faults(tmp_path / "none.json")[0]


@pytest.mark.parametrize("name", ["sensitivity.map", "sensitivity.layer"])
def test_a_block_that_is_not_offered_is_told(name: str) -> None:
    with pytest.raises(ParamsError, match="Размер блока"):
        registry.params(name, {"block": 100})
