"""The calculator against published numbers, and what it says of targets that do not mean what they say."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.lora.models import ARCHITECTURES, presets
from demos.lora.parameters import Params, Result, count

QV, QKVO = ("q_proj", "v_proj"), ("q_proj", "k_proj", "v_proj", "o_proj")
SEVEN = (*QKVO, "gate_proj", "up_proj", "down_proj")
EVERYTHING = ("all-linear",)


def counted(architecture: str, targets: tuple[str, ...], rank: int = 8, **more: object) -> Result:
    return count(Params(architecture=architecture, targets=targets, rank=rank, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("architecture", "targets", "rank", "base", "trainable", "percent"),
    [
        # print_trainable_parameters() of peft 0.21 on models built from the published configurations
        ("mistral-7b", QV, 8, 7_241_732_096, 3_407_872, 0.0470),
        ("mistral-7b", QV, 16, 7_241_732_096, 6_815_744, 0.0940),
        ("mistral-7b", QKVO, 16, 7_241_732_096, 13_631_488, 0.1879),
        ("mistral-7b", EVERYTHING, 16, 7_241_732_096, 41_943_040, 0.5758),
        ("mistral-7b", SEVEN, 64, 7_241_732_096, 167_772_160, 2.26),
        ("llama-2-7b", QV, 8, 6_738_415_616, 4_194_304, 0.0622),
        ("llama-2-7b", QKVO, 16, 6_738_415_616, 16_777_216, 0.2484),
        ("llama-2-7b", EVERYTHING, 16, 6_738_415_616, 39_976_960, 0.5898),
        ("llama-2-7b", EVERYTHING, 64, 6_738_415_616, 159_907_840, 2.32),
        ("llama-3.1-8b", QV, 8, 8_030_261_248, 3_407_872, 0.0424),
        ("llama-3.1-8b", QKVO, 16, 8_030_261_248, 13_631_488, 0.1695),
        ("llama-3.1-8b", EVERYTHING, 16, 8_030_261_248, 41_943_040, 0.5196),
        ("phi-3-mini", EVERYTHING, 16, 3_821_079_552, 25_165_824, 0.6543),
        ("phi-3-mini", EVERYTHING, 64, 3_821_079_552, 100_663_296, 2.57),
        ("llama-3-70b", QV, 8, 70_553_706_496, 16_384_000, 0.0232),
        ("llama-3-70b", EVERYTHING, 16, 70_553_706_496, 207_093_760, 0.2927),
    ],
)
def test_published_numbers(  # noqa: PLR0917 - a row of the table
    architecture: str, targets: tuple[str, ...], rank: int, base: int, trainable: int, percent: float
) -> None:
    result = counted(architecture, targets, rank)
    digits = len(str(percent).partition(".")[2].ljust(2, "0")) if percent > 1 else 4
    assert (result.base, result.trainable, result.total) == (base, trainable, base + trainable)
    assert round(100 * result.share, digits) == percent
    assert result.alarm == ""


def test_bytes_follow_the_type_of_the_adapter() -> None:
    wide, narrow = counted("mistral-7b", QV), counted("mistral-7b", QV, dtype="bfloat16")
    assert (wide.adapter_bytes, narrow.adapter_bytes) == (13_631_488, 6_815_744)
    assert (wide.gradient_bytes, narrow.gradient_bytes) == (13_631_488, 6_815_744)
    assert (wide.optimizer_bytes, narrow.optimizer_bytes) == (8 * 3_407_872, 4 * 3_407_872)
    assert wide.base_bytes == 2 * 7_241_732_096


def test_scale() -> None:
    assert counted("mistral-7b", QV, 16, alpha=32).scale == 2
    assert counted("mistral-7b", QV, 16, alpha=32, rslora=True).scale == 8


def test_the_list_for_llama_on_phi3_raises_an_alarm() -> None:
    four, seven = counted("phi-3-mini", QKVO, 16), counted("phi-3-mini", SEVEN, 16)
    assert four.trainable == 3_145_728
    assert (four.matched, four.unmatched) == (("o_proj",), ("q_proj", "k_proj", "v_proj"))
    assert four.level == "warning"
    assert "только o_proj" in four.alarm
    assert "Вместо q_proj, k_proj, v_proj здесь qkv_proj." in four.alarm
    assert seven.matched == ("o_proj", "down_proj")
    assert "Вместо gate_proj, up_proj здесь gate_up_proj." in seven.alarm
    assert {row.name: row.count for row in four.by_module} == {
        "qkv_proj": 0,
        "o_proj": 32,
        "gate_up_proj": 0,
        "down_proj": 0,
    }


@pytest.mark.parametrize(
    ("architecture", "targets", "words"),
    [
        ("phi-3-mini", QV, "нет слоёв с именами q_proj, v_proj. Вместо q_proj, v_proj здесь qkv_proj."),
        ("gpt2", QKVO, "Вместо q_proj, k_proj, v_proj здесь c_attn. Вместо o_proj здесь attn.c_proj."),
        ("mistral-7b", ("c_attn",), "Вместо c_attn здесь q_proj, k_proj, v_proj."),
        ("mistral-7b", ("nonsense",), "Слои этой модели: q_proj, k_proj, v_proj, o_proj, gate_proj"),
        ("mistral-7b", ("self_attn",), "не линейный слой"),
        ("mistral-7b", ("q_proj", "input_layernorm"), "«input_layernorm»"),
    ],
)
def test_what_peft_refuses_trains_nothing_and_says_what_to_write(
    architecture: str, targets: tuple[str, ...], words: str
) -> None:
    result = counted(architecture, targets)
    assert result.level == "error"
    assert words in result.alarm
    assert (result.trainable, result.matched_modules, result.adapter_bytes, result.share) == (0, 0, 0, 0)
    assert [(row.kind, row.parameters, row.share) for row in result.by_kind] == [("attention", 0, 0), ("mlp", 0, 0)]


def test_traps_alarm_and_honest_presets_do_not() -> None:
    for architecture in ARCHITECTURES.values():
        for preset in presets(architecture):
            result = counted(architecture.id, (preset.id,))
            expected = preset.trap and architecture.family in {"phi3", "gpt2"}
            assert bool(result.alarm) == expected, (architecture.id, preset.id)


def test_one_name_may_mean_two_layers_in_gpt2() -> None:
    both = counted("gpt2", ("c_proj",))
    apart = counted("gpt2", ("attn.c_proj",)).trainable + counted("gpt2", ("mlp.c_proj",)).trainable
    assert both.trainable == apart == 8 * 12 * ((768 + 768) + (4 * 768 + 768))
    assert {row.kind: row.parameters > 0 for row in both.by_kind} == {"attention": True, "mlp": True}


def test_a_single_layer_can_be_named_by_its_number() -> None:
    assert counted("mistral-7b", ("layers.3.self_attn.q_proj",)).matched_modules == 1
    assert counted("mistral-7b", ("model.layers.3.self_attn.q_proj", "q_proj")).matched_modules == 32


def test_odd_but_allowed_values_are_remarked_on() -> None:
    assert "Ранг больше размеров" in " ".join(counted("mistral-7b", ("k_proj",), 2000).notes)
    assert "дороже полного обновления" in " ".join(counted("mistral-7b", ("k_proj",), 900).notes)
    assert "ничего не меняет" in " ".join(counted("mistral-7b", QV, alpha=0).notes)
    assert "нет сдвигов" in " ".join(counted("mistral-7b", QV, bias="all").notes)
    assert "делят одну матрицу" in " ".join(counted("qwen2.5-0.5b", ("lm_head",)).notes)
    assert counted("mistral-7b", QV).notes == ()


@settings(deadline=None)  # a shared machine may stall
@given(
    st.sampled_from(sorted(ARCHITECTURES)),
    st.integers(1, 256),
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(["none", "lora_only", "all"]),
)
def test_the_parts_add_up(architecture: str, rank: int, picked: set[int], bias: str) -> None:
    linear = ARCHITECTURES[architecture].linear
    names = tuple(dict.fromkeys(ARCHITECTURES[architecture].label(linear[i % len(linear)]) for i in picked))
    whole = counted(architecture, names, rank, bias=bias)
    alone = sum(counted(architecture, (name,), rank).trainable for name in names)
    assert sum(row.parameters for row in whole.by_module) == alone
    assert sum(row.parameters for row in whole.by_kind) == whole.trainable
    assert sum(row.share for row in whole.by_kind) == pytest.approx(1)
    assert counted(architecture, names, 2 * rank).trainable == 2 * alone
    assert whole.trainable <= counted(architecture, EVERYTHING, rank, bias=bias).trainable


def test_a_model_typed_in_by_hand_counts_like_the_one_it_repeats() -> None:
    sizes = ARCHITECTURES["mistral-7b"].sizes
    typed = Params(
        architecture="custom",
        hidden=sizes.hidden,
        layers=sizes.layers,
        heads=sizes.heads,
        kv_heads=sizes.kv_heads,
        head_dim=sizes.head_dim,
        intermediate=sizes.intermediate,
        vocab=sizes.vocab,
        tied=False,
    )
    assert replace(count(typed), title="") == replace(count(Params()), title="")


def test_the_config_to_copy_is_python_that_says_what_was_chosen() -> None:
    code = counted("gpt2", ("c_attn",), 4, alpha=8, bias="lora_only", rslora=True, dtype="bfloat16").config_code
    config = ast.parse(code).body[1]
    assert isinstance(config, ast.Assign)
    assert isinstance(config.value, ast.Call)
    words = {word.arg: ast.literal_eval(word.value) for word in config.value.keywords}
    assert words == {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["c_attn"],
        "bias": "lora_only",
        "use_rslora": True,
        "fan_in_fan_out": True,
        "task_type": "CAUSAL_LM",
    }
    assert "autocast_adapter_dtype=False" in code
    assert 'target_modules="all-linear"' in counted("mistral-7b", EVERYTHING).config_code
