"""What statements promise is what the code gives: examples on paper, reference numbers, the lesson's calculator."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graders.exercise import load
from graders.host.engine import Engine
from graders.protocol import Job, Outcome

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"


def module(slug: str, name: str = "solution") -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{slug}_{name}", EXERCISES / slug / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slug", "parts"),
    [
        ("lora-linear", ["[29.0, 46.0]", "[[3.0, 2.0, 4.0], [4.0, 5.0, 4.0]]"]),
        ("lora-params", ["3407872"]),
        ("rank-for-energy", ["(1, tensor([[4., 0.]"]),
    ],
)
def test_run_shows_the_example_of_the_statement(slug: str, parts: list[str], engine: Engine) -> None:
    exercise = load(EXERCISES / slug)
    trial = engine.run(Job(slug, (EXERCISES / slug / "solution.py").read_bytes()), exercise.example)
    assert trial.outcome is Outcome.PASSED, trial.message
    for part in parts:
        assert part in trial.value


@pytest.mark.parametrize("slug", ["lora-linear", "lora-params", "rank-for-energy"])
def test_a_statement_says_what_why_an_example_and_what_is_checked(slug: str) -> None:
    text = load(EXERCISES / slug).statement
    for heading in ("## Задача", "## Пример", "## Что проверим"):
        assert heading in text
    numbers = {"lora-linear": "(29,\\ 46)", "lora-params": "3 407 872", "rank-for-energy": "0,64"}
    assert numbers[slug] in text.replace("\u00a0", " ")


def test_the_count_equals_the_calculator_of_the_lesson() -> None:
    """The statement's closed form against demos.lora, which is proven against peft, on every architecture that fits."""
    from demos import registry
    from demos.lora.models import ARCHITECTURES

    lora_params = module("lora-params").lora_params
    compared = 0
    for architecture in ARCHITECTURES.values():
        config = as_config(architecture)
        for name in config["linear_layers"]:
            arguments = {"architecture": architecture.id, "rank": 8, "targets": [name]}
            assert lora_params(config, 8, [name]) == registry.call("lora.count", arguments).trainable, name
            compared += 1
    assert compared >= 40


KNOWN = {"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "gate_proj", "up_proj", "gate_up_proj", "down_proj"}


def as_config(architecture: Any) -> dict[str, Any]:
    """The statement's form of an architecture; layers that the exercise does not know (GPT-2's) are left out."""
    sizes = architecture.sizes
    return {
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.head_dim,
        "linear_layers": [item.name for item in architecture.modules if item.name in KNOWN and item.per_layer],
    }


@pytest.mark.parametrize(
    ("targets", "rank", "published"),
    [(["q_proj", "v_proj"], 8, 3_407_872), (["q_proj", "k_proj", "v_proj", "o_proj"], 16, 13_631_488)],
)
def test_mistral_gives_the_published_numbers(targets: list[str], rank: int, published: int) -> None:
    mistral = module("lora-params", "given").MISTRAL_7B
    assert module("lora-params").lora_params(mistral, rank, targets) == published


def test_phi_3_does_not_count_what_it_lacks() -> None:
    phi = module("lora-params", "given").PHI_3_MINI
    lora_params = module("lora-params").lora_params
    assert lora_params(phi, 16, ["o_proj"]) == 3_145_728
    with pytest.raises(ValueError, match="q_proj"):
        lora_params(phi, 16, ["q_proj", "o_proj"])
