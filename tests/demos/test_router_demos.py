"""The router's matrix recomputed by hand, its cosines and answers computed again, the mixed batch one by one."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import warnings
from typing import Any

import numpy as np
import pytest

from demos.finetuning import evaluate
from demos.finetuning.adapters import routing, shipped
from demos.finetuning.adapters.library import BASE as SWITCHED_OFF
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.skills import Message
from demos.params import ParamsError
from demos.router import ask, confusion, requests, snippets, stored
from demos.router.confusion import UNSURE, Params

PROMPT = """вежливо: "петь" ' громко!"""


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(open_base(ask.PLAIN), {name: shipped.adapter(name) for name in requests.ADAPTERS})


@pytest.mark.parametrize("cue", list(stored.CUES))
@pytest.mark.parametrize("threshold", [0.0, 0.6, 1.0])
def test_the_matrix_and_the_scores_are_what_numpy_counts(cue: stored.Cue, threshold: float) -> None:
    store, told = stored.load(), confusion.confusion(Params(cue=cue, threshold=threshold))
    rows = store.rows[cue]
    scores = np.exp(20 * np.array([row.cosines["nearest"] for row in rows]))
    shares = scores / scores.sum(1, keepdims=True)
    sent = np.where(shares.max(1) >= threshold, shares.argmax(1), 4)
    kinds = list(requests.KINDS)
    counted = np.zeros((5, 5), int)
    np.add.at(counted, ([kinds.index(row.kind) for row in rows], sent), 1)
    assert told.sent == (*store.places, UNSURE)
    assert np.array_equal(np.array(told.matrix), counted)
    assert told.coverage == (sent < 4).mean()
    own = [(row, min(place, 3) if place < 4 else 3) for row, place in zip(rows, sent, strict=True) if row.right]
    assert told.answered.right == sum(row.right[place] for row, place in own)
    assert told.base_alone.right == sum(row.right[3] for row, _ in own)
    assert told.routed.right == sum(kinds.index(row.kind) == place for row, place in own)


def test_a_stricter_threshold_covers_less_and_the_curve_passes_through_now() -> None:
    told = confusion.confusion(Params())
    covered = [spot.coverage for spot in told.curve]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] == 1
    near = next(spot for spot in told.curve if spot.threshold >= told.now.threshold)
    assert (near.coverage, near.risk, near.answered) == pytest.approx(
        (told.now.coverage, told.now.risk, told.now.answered)
    )


def test_the_ends_are_the_base_alone_and_a_guess_without_sharpness() -> None:
    strict = confusion.confusion(Params(threshold=1.0, sharpness=1.0))
    assert strict.coverage == strict.risk == 0
    assert strict.answered == strict.base_alone
    flat = confusion.confusion(Params(sharpness=0.0, threshold=0.0))
    assert {one.confidence for one in flat.decisions} == {0.25}
    assert flat.separation == 0.5
    with pytest.raises(ParamsError, match="Порог"):
        Params(threshold=float("nan"))


def test_the_words_before_a_request_give_its_task_away() -> None:
    told = {cue: confusion.confusion(Params(cue=cue)) for cue in stored.CUES}
    assert told["with"].routed.right > 110
    assert told["with"].routed.low > told["without"].routed.high > told["without"].routed.low > told["shift"].routed.low
    assert told["with"].best_possible.right > told["without"].best_possible.right


def test_a_file_of_another_base_is_a_fault(tmp_path: Any) -> None:
    assert stored.faults() == []
    stored.write(dataclasses.replace(stored.load(), base="0" * 16), tmp_path / "router.json")
    assert "scripts/measure_router.py" in stored.faults(tmp_path / "router.json")[0]
    (tmp_path / "router.json").write_text("{}")
    assert stored.faults(tmp_path / "router.json")


@pytest.mark.slow
class TestWithTheModel:
    """What is stored, and what is asked live, against the model itself."""

    def test_cosines_are_those_of_hidden_states_one_by_one(self) -> None:
        base, store = open_base(ask.PLAIN), stored.load()
        prompts = requests.as_asked(store.examples, cue=False)
        owners = {**prompts, routing.BASE: routing.own_requests()}
        known = {name: np.stack([_state(base, one) for one in of]) for name, of in owners.items()}
        middle = np.concatenate(list(known.values())).mean(0)
        for row in store.rows["without"][::17]:
            if row.kind == routing.BASE:  # may have more than one message
                continue
            asked = _unit(_state(base, (Message("user", row.text),)) - middle)
            near = [np.sort(_unit(of - middle) @ asked)[-3:].mean() for of in known.values()]
            assert row.cosines["nearest"] == pytest.approx(near, abs=2e-5)
            centres = [_unit(_unit(of - middle).mean(0)) @ asked for of in known.values()]
            assert row.cosines["centroid"] == pytest.approx(centres, abs=2e-5)

    def test_who_is_right_is_what_greedy_answers_say(self, shelf: Shelf) -> None:
        held_out = requests.held_out(cue=False)
        store = stored.load()
        assert [one.prompt[-1].content for one in held_out] == [row.text for row in store.rows["without"]]
        chosen = [place for place, one in enumerate(held_out) if one.answer][::11]
        for column, name in ((0, "json"), (3, SWITCHED_OFF)):
            said = shelf.answer(name, [held_out[place].prompt for place in chosen], most=48)
            for place, text in zip(chosen, said, strict=True):
                right = store.rows["without"][place].right[column]
                assert evaluate.is_right(text, held_out[place].answer) == right

    def test_a_mixed_batch_says_what_each_says_alone_and_what_the_code_says(self, shelf: Shelf) -> None:
        told, found = ask.ask(ask.Params(prompt=PROMPT)), {}
        for one in told.said:
            name = SWITCHED_OFF if one.name == routing.BASE else one.name
            assert one.text == shelf.answer(name, [(Message("user", PROMPT),)], most=ask.MOST_TOKENS)[0]
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            exec(snippets.mixed(ask.Params(prompt=PROMPT)), found)  # noqa: S102 - our own snippet
        assert [text.strip() for text in found["answers"]] == [one.text for one in told.said]

    def test_a_live_request_is_as_sure_as_the_measured_one(self) -> None:
        measured = next(one for one in confusion.confusion(Params(cue="with")).decisions if one.kind == "polite")
        told = ask.ask(ask.Params(prompt=measured.text, threshold=0.6))
        assert (told.best, told.chosen) == (measured.best, "polite")
        assert told.confidence == pytest.approx(measured.confidence, abs=1e-4)
        assert not told.abstained


def test_an_empty_or_endless_request_is_refused_in_words() -> None:
    for prompt in ("", "   ", "а" * 401):
        with pytest.raises(ParamsError, match=r"Запрос|запрос"):
            ask.Params(prompt=prompt)


def _state(base: Any, prompt: Any) -> np.ndarray:
    """The mean last hidden state of one prompt, without padding and without ours."""
    import torch

    ids = base.tokenizer.apply_chat_template(
        [{"role": one.role, "content": one.content} for one in prompt],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    )["input_ids"]
    with torch.inference_mode():
        found: np.ndarray = base.model(ids, output_hidden_states=True).hidden_states[-1][0].mean(0).double().numpy()
    return found


def _unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return found
