"""Merging by hand, by PEFT and by bitsandbytes: the demos agree with all three, live and measured alike."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import pytest

from demos.finetuning import evaluate
from demos.finetuning.adapters import blending, files, shipped
from demos.finetuning.adapters.files import Adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.tasks import build
from demos.merging import answers, arithmetic, models, precision, snippets, stored, switching, weights
from demos.params import ParamsError

pytestmark = pytest.mark.slow

LAYER = "model.layers.1.mlp.down_proj"


@pytest.fixture(scope="module")
def json() -> Adapter:
    return shipped.adapter("json")


@pytest.fixture(scope="module")
def whole() -> precision.Result:
    return precision.precision(precision.Params())


def by_hand(adapter: Adapter, layer: str) -> np.ndarray:
    """(α/r)·B A from the file's bytes, in float64."""
    parts = {one.name: files.array(adapter.weights, one) for one in adapter.tensors}
    a, b = (parts[f"base_model.model.{layer}.lora_{letter}.weight"].astype(float) for letter in "AB")
    found: np.ndarray = adapter.config.alpha / adapter.config.rank * (b @ a)
    return found


def effective(model: Any, name: str) -> Any:
    """The matrix that a layer of a merged model really has, float32."""
    import bitsandbytes

    layer = model.get_submodule(name)
    if isinstance(layer, bitsandbytes.nn.Linear4bit):
        return bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    return layer.weight.data.float()


def test_the_update_is_alpha_over_rank_b_a(json: Adapter) -> None:
    for layer, delta in weights.deltas(json, 0.05).items():
        np.testing.assert_allclose(delta.numpy(), 0.05 * by_hand(json, layer), atol=1e-7)


@pytest.mark.parametrize("way", weights.WAYS)
def test_every_way_gives_the_weights_that_peft_gives(json: Adapter, way: weights.Way) -> None:
    merged = models.merged(json, way, 0.2).model
    original, deltas = weights.base(), weights.deltas(json, 0.2)
    for layer in deltas:
        mine = weights.merge(way, original[layer], deltas[layer], weights.quantize(original[layer]))
        assert float((effective(merged, layer) - mine.after).abs().max()) <= (0 if way in weights.HALVES else 3e-7)


def test_losses_are_what_numpy_says(json: Adapter, whole: precision.Result) -> None:
    import torch

    base, delta = weights.base()[LAYER].double().numpy(), by_hand(json, LAYER)
    low = (torch.tensor(base).bfloat16() + torch.tensor(delta)).bfloat16().double().numpy()
    change, wrong = low - torch.tensor(base).bfloat16().double().numpy(), low - (base + delta)
    ways = {one.way: one for one in whole.ways}
    told = next(one for one in ways["bfloat16"].layers if (one.block, one.kind) == (1, "down_proj"))
    assert told.error == pytest.approx(np.linalg.norm(wrong) / np.linalg.norm(base + delta), rel=1e-4)
    assert told.largest == pytest.approx(np.abs(wrong).max(), rel=1e-4)
    cosine = (change * delta).sum() / np.linalg.norm(change) / np.linalg.norm(delta)
    assert told.cosine == pytest.approx(cosine, abs=1e-6)
    assert told.kept == pytest.approx((change * delta).sum() / (delta**2).sum(), rel=1e-5)
    assert ways["float32"].error == 0
    assert ways["float16"].error < ways["bfloat16"].error < ways["dequantized"].error < ways["nf4"].error


def test_a_weak_update_vanishes_in_four_bits_and_frays_in_bfloat16() -> None:
    weak = {one.way: one for one in precision.precision(precision.Params(strength="1")).ways}
    assert abs(weak["nf4"].cosine) < 0.05
    assert weak["nf4"].changed < 1e-3
    assert weak["bfloat16"].cosine < 0.95
    assert weak["float32"].cosine > 0.99999
    assert weak["after"].kept == pytest.approx(1, abs=0.15)  # rounding the original is blind to it: right on average
    assert weak["after"].cosine < 0.2  # and drowned in noise


def test_a_qlora_adapter_fits_only_what_its_four_bits_mean() -> None:
    ways = {one.way: one for one in precision.precision(precision.Params(adapter="json-nf4")).ways}
    assert ways["dequantized"].error == 0
    assert ways["float32"].error > 0.05


def test_one_forward_pass_knows_what_greedy_decoding_says(json: Adapter) -> None:
    chats = build("json").test[60:100]
    shelf = models.beside(json, models.PLAIN)
    said = shelf.answer(models.NAME, [chat[:-1] for chat in chats], most=64)
    right = [evaluate.is_right(one, chat[-1].content) for one, chat in zip(said, chats, strict=True)]
    assert evaluate.knows(shelf.model, shelf.base.tokenizer, chats) == right
    assert 0 < sum(right) < len(right)


def test_a_measured_point_can_be_repeated() -> None:
    assert stored.faults() == []
    found = answers.answers(answers.Params(way="dequantized", requests=6))
    assert [one.prompt for one in found.answers] == [chat[-2].content for chat in build("json").test[:6]]
    assert found.measured.of == 6
    right = sum(one.merged == one.right for one in found.answers)
    assert found.measured.right == right
    known = stored.find("json", "100", "dequantized")
    assert known is not None
    assert right >= known.right - (known.of - 6)  # the six are among the measured ones
    assert right <= known.right


def test_every_point_is_measured_and_merging_in_float32_says_what_the_adapter_said() -> None:
    for name in shipped.SPECS:
        for strength in precision.STRENGTHS:
            for way in (*weights.WAYS, "tuned"):
                assert stored.find(name, strength, way), (name, strength, way)
        exact = "dequantized" if name == "json-nf4" else "float32"
        one, tuned = stored.find(name, "100", exact), stored.find(name, "100", "tuned")
        assert one
        assert tuned
        assert one.same == one.of
        assert one.largest < 1e-3
        assert tuned.right / tuned.of > 0.85


def test_unmerging_is_exact_enough_in_float32_and_ruinous_in_four_bits() -> None:
    fine, coarse = (stored.find("json", "100", way) for way in ("float32", "nf4"))
    assert fine
    assert coarse
    assert fine.drift is not None
    assert coarse.drift is not None
    assert fine.drift < 1e-3
    assert coarse.drift > 0.1


def test_a_sum_by_cat_is_the_exact_sum_and_answers_are_those_of_peft(json: Adapter) -> None:
    polite = shipped.adapter("polite")
    params = arithmetic.Params(first_weight=1.0, second_weight=0.2)
    told = arithmetic.arithmetic(params)
    assert told.rank == 8
    assert told.error < 1e-6
    shelf = Shelf(open_base(models.PLAIN), {"json": json, "polite": polite})
    name = blending.blend(shelf, {"json": 1.0, "polite": 0.2}, "cat")
    sums = shelf.model.base_model.model.get_submodule(LAYER).get_delta_weight(name)
    np.testing.assert_allclose(sums.detach().numpy(), by_hand(json, LAYER) + 0.2 * by_hand(polite, LAYER), atol=1e-6)
    side = told.sides[0]
    asked = answers.requests("json", arithmetic.LIVE)
    said = shelf.answer(name, asked.prompts, most=64)
    assert side.blend.right == sum(map(evaluate.is_right, said, asked.right))


def test_cutting_an_adapter_keeps_the_best_of_it(json: Adapter) -> None:
    cut = weights.deltas(arithmetic.cut(json, 2))[LAYER].numpy()
    values = np.linalg.svd(by_hand(json, LAYER), compute_uv=False)
    assert np.linalg.matrix_rank(cut, tol=1e-5) == 2
    assert np.linalg.norm(by_hand(json, LAYER) - cut) == pytest.approx(np.linalg.norm(values[2:4]), rel=1e-4)


def test_unequal_ranks_are_refused_in_words() -> None:
    told = arithmetic.arithmetic(arithmetic.Params(way="linear", second_rank=2))
    assert "Ранги разные (4, 2)" in told.problem
    assert "равны нулю" in arithmetic.arithmetic(arithmetic.Params(first_weight=0.0, second_weight=0.0)).problem
    with pytest.raises(ParamsError, match="два разных"):
        arithmetic.Params(second="json")


def test_naming_another_adapter_is_cheaper_than_merging_and_that_than_loading() -> None:
    told = switching.switching(switching.Params(repeats=3))
    named, merged, loaded = (one.low for one in told.switches)
    assert 0 < named < merged < loaded
    assert told.adapter_bytes * 50 < told.base_bytes


@pytest.mark.parametrize("strength", ["100", "5"])
def test_the_code_of_merging_says_the_same(strength: precision.Strength, whole: precision.Result) -> None:
    params = precision.Params(strength=strength)
    found = run(snippets.merging(params))
    ways = {one.way: one for one in (whole if strength == "100" else precision.precision(params)).ways}
    assert found["bfloat16"] == pytest.approx(ways["bfloat16"].cosine, abs=1e-5)
    assert found["nf4"] == pytest.approx(ways["nf4"].cosine, abs=1e-4)


@pytest.mark.parametrize("way", ["cat", "dare_linear"])
def test_the_code_of_a_sum_answers_the_same(json: Adapter, way: blending.Way) -> None:
    params = arithmetic.Params(first_weight=1.0, second_weight=0.1, way=way)
    shelf = Shelf(open_base(models.PLAIN), {"json": json, "polite": shipped.adapter("polite")})
    name = blending.blend(shelf, {"json": 1.0, "polite": 0.1}, way, density=params.density)
    asked = [[answers.Message("user", "переведи в JSON: большая кошка видит дом")]]
    assert run(snippets.summing(params))["answer"].strip() == shelf.answer(name, asked, most=48)[0]


def run(code: str) -> dict[str, Any]:
    """What a snippet leaves behind, started in the course's folder."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        exec(code, found)  # noqa: S102 - our own snippet
    return found
