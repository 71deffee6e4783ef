"""Sampling by hand against transformers' generate, its own processors, and softmax on paper."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos import registry
from demos.inference import decoding, sample
from demos.inference.decoding import Rules
from demos.params import ParamsError

pytestmark = pytest.mark.slow
PROMPTS = ("переведи: шлюмп будет читать зелёную фырку", "сложи: 47 и 38", "повтори: синхрофазотрон")


@pytest.fixture(scope="module")
def base() -> Any:
    return sample.opened("base")


def _generated(base: Any, params: sample.Params) -> tuple[list[int], Any]:
    """What generate says with the same seed, and the scores that it drew from."""
    import torch

    torch.manual_seed(params.seed)
    rules: dict[str, Any] = {"do_sample": False}
    if not params.rules.greedy:
        rules = {
            "do_sample": True,
            "temperature": params.temperature,
            "top_k": params.top_k,
            "top_p": params.top_p,
        }
    ids = torch.tensor([sample.encoded(base, params.prompt)])
    out = base.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=params.most,
        output_scores=True,
        return_dict_in_generate=True,
        **rules,
    )
    return out.sequences[0, ids.shape[1] :].tolist(), out.scores


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "fields",
    [
        {"decoding": "greedy"},
        {"temperature": 1.0, "top_p": 1.0},
        {"temperature": 2.0, "top_p": 0.9, "seed": 7},
        {"temperature": 3.0, "top_p": 0.95, "top_k": 20, "seed": 3},
        {"temperature": 0.3, "top_p": 1.0, "top_k": 5, "seed": 1},
    ],
)
def test_the_text_and_every_probability_are_those_of_generate(base: Any, prompt: str, fields: dict[str, Any]) -> None:
    params = registry.params("inference.sample", {"prompt": prompt, "most": 16, **fields})
    assert isinstance(params, sample.Params)
    said = sample.sample(params)
    tokens, scores = _generated(base, params)
    ours = [chosen for chosen, _ in _steps(base, params)]
    assert ours == tokens
    assert said.text == base.tokenizer.decode(tokens, skip_special_tokens=True).strip()
    assert [each.token for each in said.steps] == [decoding.shown(base.tokenizer, token) for token in tokens]
    if not params.rules.greedy:
        for (_, made), theirs in zip(_steps(base, params), scores, strict=True):
            assert float((made.left - theirs[0].softmax(-1)).abs().max()) < 1e-6


def _steps(base: Any, params: sample.Params) -> list[Any]:
    ids = sample.encoded(base, params.prompt)
    return list(
        decoding.steps(
            base.model, ids, params.rules, seed=params.seed, most=params.most, end=base.tokenizer.eos_token_id
        )
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=30, unique=True),
    st.floats(0.05, 5),
    st.integers(0, 40),
    st.floats(0.01, 1),
)
def test_the_cuts_are_those_of_transformers(logits: list[float], temperature: float, top_k: int, top_p: float) -> None:
    import torch
    from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    scores = torch.tensor([logits])
    theirs = TemperatureLogitsWarper(temperature)(None, scores)
    theirs = TopKLogitsWarper(top_k)(None, theirs) if top_k else theirs
    theirs = TopPLogitsWarper(top_p)(None, theirs) if top_p < 1 else theirs
    made = decoding.cut(scores[0], Rules(False, temperature, top_k, top_p))
    assert float((made.left - theirs[0].softmax(-1)).abs().max()) < 1e-6
    assert bool(made.left[scores[0].argmax()] > 0)


def test_on_paper() -> None:
    """Logits ln 4, ln 3, ln 2, ln 1: probabilities 0.4, 0.3, 0.2, 0.1."""
    import torch

    logits = torch.tensor([math.log(one) for one in (4, 3, 2, 1)])
    made = decoding.cut(logits, Rules(False, 1.0, 0, 0.65))
    assert made.plain.tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert made.cumulative.tolist() == pytest.approx([0.4, 0.7, 0.9, 1.0])
    assert made.left.tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])  # 0.4 is not enough, 0.7 is
    hot = decoding.cut(logits, Rules(False, 2.0))
    roots = [one**0.5 for one in (4, 3, 2, 1)]
    assert hot.left.tolist() == pytest.approx([root / sum(roots) for root in roots])
    assert decoding.cut(logits, Rules(False, 1.0, 3)).left.tolist() == pytest.approx([4 / 9, 3 / 9, 2 / 9, 0])
    assert decoding.cut(logits, Rules()).left.tolist() == [1, 0, 0, 0]


def test_a_result_is_whole_and_repeats() -> None:
    one, other = (registry.call("inference.sample", {"temperature": 2.0, "seed": 5}) for _ in range(2))
    assert one == other
    for made in one.steps:
        shares = [each.heated for each in made.candidates[: sample.SHOWN]]
        assert shares == sorted(shares, reverse=True)
        assert sum(each.chosen for each in made.candidates) == 1
        assert made.chosen.left > 0
        assert made.entropy >= 0
    assert registry.call("inference.sample", {"temperature": 2.0, "seed": 6}).text != one.text


def test_tokens_are_readable(base: Any) -> None:
    shown = [decoding.shown(base.tokenizer, token) for token in range(base.model.config.vocab_size)]
    assert shown[base.tokenizer.eos_token_id] == "⟨конец⟩"
    assert not [text for text in shown if "\ufffd" in text or not text]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": " "}, "Напишите запрос"),
        ({"prompt": "а" * 301}, "не длиннее 300"),
        ({"temperature": "nan"}, "Температура"),
        ({"top_p": 0}, "top-p: нужно число от 0,01 до 1"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        registry.params("inference.sample", fields)


def test_a_request_of_too_many_tokens_is_no_crash() -> None:
    said = registry.call("inference.sample", {"prompt": "🐉" * 300, "most": 1})
    assert "токенов" in said.problem
    assert registry.call("inference.compare", {"prompt": "🐉" * 300}).problem
