"""Base, tuned and merged: against PEFT's own generate and a merge by matrices; speed: what must hold on any machine."""

from __future__ import annotations

import pytest

from demos import registry
from demos.finetuning import evaluate
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.library import BASE, Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.skills import Message
from demos.inference import speed, timing
from demos.inference.compare import Params, compare

pytestmark = pytest.mark.slow


def test_the_answers_are_those_of_peft() -> None:
    prompt = Params().prompt
    said = compare(Params())
    shelf = Shelf(open_base(shipped.SPECS["json"]), {"json": shipped.adapter("json")})
    asked = [(Message("user", prompt),)]
    wanted = [shelf.answer(name, asked, most=64)[0] for name in (BASE, "json")]
    merged = shelf.model.merge_and_unload()
    wanted += evaluate.greedy(merged, shelf.base.tokenizer, asked, most=64)
    assert [each.text for each in said.answers] == wanted
    assert said.same
    assert wanted[0] != wanted[1]
    assert 0 < said.gap < 1e-3
    assert said.shift > 1
    assert said.beside == 61_440  # rank 4 in every linear layer of 4 blocks


def test_a_merge_into_16_bits_is_rounded() -> None:
    coarse = compare(Params(merged="bfloat16"))
    assert coarse.gap > 100 * compare(Params()).gap
    assert coarse.same == (coarse.answers[1].text == coarse.answers[2].text)


def test_every_probability_is_that_of_the_model() -> None:
    import torch

    said = compare(Params()).answers[0]
    base = open_base(shipped.SPECS["json"])
    ids = evaluate.encode(base.tokenizer, [(Message("user", Params().prompt),)])[0]
    out = base.model.generate(
        input_ids=torch.tensor([ids]),
        max_new_tokens=64,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    fresh = out.sequences[0, len(ids) :]
    for token, logits, known in zip(fresh, out.logits, said.tokens, strict=True):
        assert float(logits[0].softmax(-1)[token]) == pytest.approx(known.probability, abs=1e-5)


@pytest.mark.parametrize("form", ["float32", "nf4"])
def test_the_cache_changes_time_and_nothing_else(form: str) -> None:
    fields = {"form": form, "prompt": 256, "repeats": 1}
    with_, without = (registry.call("inference.measure", {**fields, "cache": cache}) for cache in (True, False))
    assert with_.tokens == without.tokens
    assert with_.each < without.each
    assert without.cache_bytes == 0
    # 2 (keys, values) × 4 layers × 6 heads × 32 numbers × 4 bytes, for every token but the last
    assert with_.cache_bytes == 2 * 4 * 6 * 32 * 4 * (256 + timing.NEW)


def test_what_is_recorded_is_whole() -> None:
    assert speed.faults() == []
    found = speed.recording()
    assert isinstance(found, speed.Recording)
    assert len(found.points) == len(speed.wanted()) == 48
    for against in speed.AGAINST:
        assert registry.call("inference.speed", {"against": against}).points
    by_form = {point.form: point for point in registry.call("inference.speed", {}).points}
    assert by_form["float32"].weights == 2_311_872 * 4
    assert by_form["bfloat16"].weights == 2_311_872 * 2
    assert by_form["nf4"].weights < by_form["int8"].weights < by_form["bfloat16"].weights
