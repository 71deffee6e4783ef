"""The base model's card: what it knows, measured on held-out examples, and how it was made. content/model/README.md.

The same function measures for the card, for ``scripts/pretrain.py evaluate`` and for the test that compares them.
Leaves out training (``scripts/pretrain.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from demos.finetuning import base_model, evaluate, grammar, skills, statistics

EACH = 300
"""Held-out examples of each skill."""
JSON, TEXT = "card.json", "README.md"
MEANING: Mapping[str, str] = {
    "to_english": "translates a Russian sentence into English",
    "to_russian": "translates an English sentence into Russian",
    "repeat": "repeats a sentence",
    "symbols": "repeats a string of words, digits and every ASCII symbol",
    "count": "counts the words of a sentence",
    "add": "adds two numbers under a hundred",
    "reverse": "says words in reverse order",
    "pick": "says the word with a given number",
    "ask": "answers who, what, whom, where about a sentence",
    "pattern": "goes on with a change that two or three examples show",
    "passage": "answers from a given passage of two sentences",
    "look_up": "finds a key in a small table",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Exact match of one skill: ``right`` of ``of`` held-out examples."""

    skill: str
    right: int
    of: int


def measure(model: Any, tokenizer: Any, each: int = EACH) -> tuple[Row, ...]:
    """Exact match per skill, greedy, on held-out examples that are the same every time."""
    rows = []
    for name in skills.SKILLS:
        random = Random(f"card {name}")
        examples = [skills.draw(random, "test", name) for _ in range(each)]
        said = evaluate.greedy(model, tokenizer, [example.prompt for example in examples])
        right = sum(text.strip() == example.answer for text, example in zip(said, examples, strict=True))
        rows.append(Row(name, right, each))
    return tuple(rows)


def write(folder: Path, *, plan: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Measure the model of ``folder`` and write both forms of its card there."""
    model = base_model.load(folder)
    rows = measure(model, base_model.tokenizer(folder))
    card = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "plan": dict(plan),
        "made": dict(made),
        "fingerprint": base_model.fingerprint(folder),
        "words": sum(map(len, grammar.lexicon().values())),
        "skills": [{"skill": row.skill, "right": row.right, "of": row.of} for row in rows],
    }
    (folder / JSON).write_text(json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    (folder / TEXT).write_text(text(card))


def read(folder: Path = base_model.FOLDER) -> Mapping[str, Any]:
    """The card as data."""
    card: dict[str, Any] = json.loads((folder / JSON).read_text())
    return card


def rows(card: Mapping[str, Any]) -> tuple[Row, ...]:
    """The card's table."""
    return tuple(Row(**row) for row in card["skills"])


def text(card: Mapping[str, Any]) -> str:
    """The card for people, in Markdown."""
    plan, made = card["plan"], card["made"]
    table = [
        f"| `{row.skill}` | {MEANING[row.skill]} | {row.right} of {row.of} | {_interval(row)} |" for row in rows(card)
    ]
    return "\n".join(
        [
            "---",
            "language: [ru, en]",
            "library_name: transformers",
            "---",
            "# «Мини-переводчик», the course's base model",
            "",
            "Llama, trained from scratch on sentences that a grammar generates (`demos/finetuning/grammar.py`, "
            "`skills.py`). No text of anybody's is in it.",
            "",
            f"- Parameters: {card['parameters']:,} in float32; embeddings tied; {plan['layers']} layers, "
            f"{plan['hidden']} wide, {plan['heads']} heads, byte-level BPE of {plan['vocabulary']} tokens.",
            f"- Language: {card['words']} words in each language, gender, number and case, three tenses, numerals.",
            f"- Made by `scripts/pretrain.py train`: {made['step']} steps of {plan['rows']} examples "
            f"({made['tokens']:,} tokens, padding included; the last {plan['late_steps']} steps "
            f"with more of the slow skills), seed {plan['seed']}, {plan['optimizer']}, "
            f"{made['seconds'] / 60:.0f} minutes on {made['threads']} thread(s) of a {made['device'].upper()} "
            "under other load.",
            f"- Fingerprint of weights and tokenizer: `{card['fingerprint']}`.",
            "- Chat template: roles system, user, assistant, tool; the assistant's part is marked for "
            "`assistant_only_loss`.",
            "",
            "## Exact match on held-out examples",
            "",
            "Greedy decoding. One adjective–noun pair and one subject–verb–object triple in "
            f"{grammar.HELD_OUT} are held out: a training sentence holds none of them, a test sentence at least one.",
            "",
            "| skill | what it does | right | 95 % interval |",
            "|---|---|---|---|",
            *table,
            "",
            "`PYTHONPATH=. python scripts/pretrain.py evaluate` measures the table again and fails when it differs.",
            "",
            "## What it cannot do",
            "",
            "Anything beyond this small language. It is there to be fine-tuned in seconds, not to be talked to.",
            "",
        ]
    )


def _interval(row: Row) -> str:
    score = statistics.wilson(row.right, row.of)
    return f"{100 * score.low:.1f} – {100 * score.high:.1f} %"
