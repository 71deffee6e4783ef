"""Numbers written in drawings: a fact cannot stand in an SVG, so these are compared with the model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from demos.finetuning import base_model
from settings import ROOT

FIGURES = ROOT / "content/00-start/figures"
ASK = "переведи в JSON: большая кошка видит старый дом"


def words(drawing: Path) -> list[str]:
    """Every piece of text, in order."""
    return [each.replace("&quot;", '"') for each in re.findall(r"<text[^>]*>([^<]*)</text>", drawing.read_text())]


@pytest.mark.slow
def test_the_first_drawing_cuts_the_words_as_the_tokenizer_does() -> None:
    drawn = words(FIGURES / "phase-1.svg")
    tokenizer = base_model.tokenizer()
    ids = tokenizer(" большая кошка")["input_ids"]
    assert drawn[: 2 * len(ids)] == [
        text for number in ids for text in (tokenizer.decode([number]).replace(" ", "·"), str(number))
    ]


@pytest.mark.slow
def test_the_last_drawing_has_the_logits_of_the_first_token() -> None:
    rows = words(FIGURES / "phase-3.svg")[-11:-2]
    tokenizer, model = base_model.tokenizer(), base_model.load()
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": ASK}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    with torch.no_grad():
        logits = model(**asked).logits[0, -1]
    shares = logits.softmax(0)
    for token, logit, share in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        number = tokenizer(token)["input_ids"][0]
        assert float(logit.replace(",", ".").replace("−", "-")) == pytest.approx(float(logits[number]), abs=0.06)
        assert float(share.replace(",", ".")) == pytest.approx(float(shares[number]), abs=0.006)
    assert set(rows[:6:3]) == {tokenizer.decode([int(i)]) for i in logits.topk(2).indices}
