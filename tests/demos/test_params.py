"""Plain values of a URL, a preset or a fact become typed Params, or one clear Russian sentence."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import settings as course
from demos import registry
from demos.lora.parameters import Params, count
from demos.params import ParamsError


def test_text_of_a_url_means_the_same_as_typed_values() -> None:
    text = {"rank": "16", "alpha": "32,0", "targets": "q_proj, v_proj,", "rslora": "да", "dtype": " bfloat16 "}
    typed = Params(rank=16, alpha=32, targets=("q_proj", "v_proj"), rslora=True, dtype="bfloat16")
    assert registry.params("lora.count", text) == typed
    assert registry.params("lora.count", {"targets": ["q_proj", "v_proj"]}) == Params()


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("lora.count", {"rank": 0}, "Ранг r: нужно целое число от 1 до 65 536, а получено «0»"),
        ("lora.count", {"rank": "восемь"}, "получено «восемь»"),
        ("lora.count", {"rank": 8.5}, "целое число"),
        ("lora.count", {"rank": True}, "целое число"),
        ("lora.count", {"rank": None}, "целое число"),
        ("lora.count", {"rank": 10**30}, "от 1 до 65 536"),
        ("lora.count", {"alpha": "nan"}, "нужно число"),
        ("lora.count", {"alpha": float("inf")}, "нужно число"),
        ("lora.count", {"rnk": 8}, "ближайшее — «rank»"),
        ("lora.count", {"architecture": "mistral7b"}, "ближайшее — «mistral-7b»"),
        ("lora.count", {"bias": "some"}, "none, lora_only, all"),
        ("lora.count", {"rslora": "maybe"}, "«да» или «нет»"),
        ("lora.count", {"targets": ""}, "хотя бы один слой"),
        ("lora.count", {"targets": 5}, "список имён"),
        ("lora.count", {"targets": r".*\.(q|v)_proj"}, "не имя слоя"),
        ("lora.count", {"targets": "q," * 3000}, "слишком длинное"),
        ("lora.count", {"targets": ["9" * 5000]}, "не имя слоя"),
        ("lora.count", {"targets": [f"q{number}" for number in range(99)]}, "слишком длинный список"),
        ("lora.count", {"architecture": "custom", "heads": 6, "kv_heads": 4}, "должно делиться"),
        ("lora.count", {"architecture": "custom", "hidden": 10**6, "intermediate": 10**7, "layers": 999}, "слишком"),
        ("lora.count", {"architecture": "custom", "family": "gpt2", "heads": 4, "kv_heads": 2}, "В GPT-2"),
        ("lora.cuont", {}, "ближайшее — «lora.count»"),
        ("lora.spectrum", {"d": 16, "k": 8, "rank": 9}, "не больше 8 направлений"),
    ],
)
def test_a_bad_value_is_answered_with_one_sentence(name: str, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParamsError) as caught:
        registry.call(name, arguments)
    message = str(caught.value).replace("\u00a0", " ")
    assert sentence in message
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 260


def test_values_are_checked_when_params_are_built_by_hand() -> None:
    with pytest.raises(ParamsError):
        Params(rank=0)
    with pytest.raises(ParamsError):
        Params(rank=8.0)  # type: ignore[arg-type]


@settings(deadline=None)  # a shared machine may stall
@given(st.dictionaries(st.sampled_from(sorted(registry.fields("lora.count"))), st.text() | st.integers() | st.floats()))
def test_no_plain_value_brings_the_calculator_down(arguments: dict[str, object]) -> None:
    try:
        result = registry.call("lora.count", arguments)
    except ParamsError:
        return
    assert 0 <= result.share < 1


def test_every_demo_runs_on_its_defaults_and_describes_its_fields_in_russian() -> None:
    assert {"lora.count", "lora.layer", "lora.spectrum", "memory.training_state"} <= set(registry.DEMOS)
    for name, demo in registry.DEMOS.items():
        assert registry.params(name, {}) == type(registry.params(name, {}))()
        assert registry.fields(name) == {field.name for field in registry.describe_fields(name)}
        assert all(re.search("[А-Яа-яα]", field.title) for field in registry.describe_fields(name)), name
        if not demo.heavy:
            registry.call(name, {})


def test_forms_can_show_limits_and_choices() -> None:
    fields = {field.name: field for field in registry.describe_fields("lora.count")}
    assert (fields["rank"].low, fields["rank"].high, fields["rank"].default) == (1, 65536, 8)
    assert "phi-3-mini" in fields["architecture"].choices


@pytest.mark.slow
def test_the_registry_and_every_light_demo_work_without_torch() -> None:
    script = (
        "import sys; from demos import registry\n"
        "for name, demo in registry.DEMOS.items():\n"
        "    registry.fields(name)\n"
        "    demo.heavy or registry.call(name, {})\n"
        "heavy = {'torch', 'transformers', 'peft', 'plotly', 'streamlit'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=course.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_result_is_the_same_through_the_registry_and_directly() -> None:
    assert registry.call("lora.count", {"rank": "16"}) == count(Params(rank=16))
