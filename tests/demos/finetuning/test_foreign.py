"""Tiny models of other architectures are really trained, in full, with LoRA and with NF4, by the same ``run``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import settings
from demos.finetuning import base_model, sources, templates
from demos.finetuning.events import Event, Failed, Finished, Started, Step
from demos.finetuning.run import run
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import Data
from demos.params import ParamsError
from settings import Settings
from tests.demos.finetuning import foreign

pytestmark = pytest.mark.slow

CHATS = tuple((Message("user", f"повтори: {number}"), Message("assistant", str(number))) for number in range(12))
DATA = Data(CHATS[:6], CHATS[6:9], CHATS[9:])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("models")
    for name in foreign.MODELS:
        foreign.make(name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_MODELS_DIR", str(folder))
        settings.current.cache_clear()
        yield folder
    settings.current.cache_clear()


def recipe(base: str, **fields: Any) -> RunSpec:
    return RunSpec(**{"base": base, "steps": 2, "batch": 4, "evaluate_every": 2, "rank": 4} | fields)


def trained(spec: RunSpec) -> tuple[Started, Finished, list[Event]]:
    events = list(run(spec, data=DATA))
    assert isinstance(events[-1], Finished), events[-1]
    assert len([event for event in events if isinstance(event, Step)]) == spec.steps
    return next(event for event in events if isinstance(event, Started)), events[-1], events


def refused(spec: RunSpec) -> str:
    last = list(run(spec, data=DATA))[-1]
    assert isinstance(last, Failed)
    assert last.code == "refused"
    return last.text


FULL = {"method": "full", "quantization": "none", "learning_rate": 1e-4}


@pytest.mark.parametrize("base", ["mistral", "qwen2", "phi3", "gpt2"])
@pytest.mark.parametrize("fields", [FULL, {"quantization": "none"}, {}], ids=["full", "lora", "nf4"])
def test_it_trains(base: str, fields: dict[str, Any], models: Path) -> None:
    spec = recipe(base, **fields)
    started, finished, _ = trained(spec)
    known = sources.resolve(spec)
    assert known.place == models / base
    assert started.base_bytes == known.need.weights  # what the calculator promised is what lies in memory
    assert started.trainable == known.need.trainable
    assert started.label.count("‹") == started.label.count("›") > 0
    if spec.method == "lora":
        assert finished.adapter_off_equals_base
        assert started.share < 0.1


def test_names_of_a_fused_layer(models: Path) -> None:
    assert trained(recipe("phi3", targets=("qkv_proj",)))[0].layers == ("qkv_proj",)
    text = refused(recipe("phi3", targets=("q_proj", "v_proj")))
    assert "qkv_proj" in text
    assert "q_proj, v_proj" in text


def test_a_name_that_gpt2_gives_to_two_layers(models: Path) -> None:
    one, both = (trained(recipe("gpt2", targets=(name,)))[0].trainable for name in ("attn.c_proj", "c_proj"))
    assert both > 2 * one  # the MLP's is four times as wide


def test_a_model_without_a_template_gets_ours_and_its_answers_are_marked(models: Path) -> None:
    folder = foreign.make("bare", models, template=False)
    found = sources.tokenizer(folder, foreign.VOCAB)
    assert found.chat_template == base_model.TEMPLATE
    assert "‹" in trained(recipe("bare"))[0].label


def test_a_tokenizer_of_a_larger_model_is_refused(models: Path) -> None:
    with pytest.raises(ParamsError, match="от другой модели"):
        sources.tokenizer(base_model.FOLDER, 100)


def test_a_broken_tokenizer_is_refused(models: Path) -> None:
    folder = foreign.make("broken", models)
    (folder / "tokenizer.json").write_text('{"model": {}}')
    assert "не читается" in refused(recipe("broken"))


@pytest.fixture
def plain() -> Any:
    """A tokenizer whose vocabulary knows none of our roles, and that has no template."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2}, "<unk>"))
    made = PreTrainedTokenizerFast(tokenizer_object=inner)
    made.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
    return made


def said(tokenizer: Any, *, mark: bool = True) -> str:
    messages = [{"role": "user", "content": "да?"}, {"role": "assistant", "content": "нет"}]
    return str(
        tokenizer.apply_chat_template(
            messages if mark else messages[:1], tokenize=False, add_generation_prompt=not mark
        )
    )


def test_templates_for_models_of_every_kind(plain: Any) -> None:
    from trl import chat_template_utils as known

    templates.fit(plain, "x")
    assert said(plain).endswith("<|im_start|>assistant\nнет</s>\n")
    assert said(plain).startswith(said(plain, mark=False))
    assert (plain.pad_token, plain.padding_side) == ("</s>", "left")
    plain.chat_template = "{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}"
    templates.fit(plain, "x")
    assert said(plain) == "<s>[INST] да? [/INST] нет</s>"
    plain.chat_template = known.llama3_chat_template
    templates.fit(plain, "x")
    assert plain.chat_template == known.llama3_training_chat_template
    plain.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(ParamsError, match="generation"):
        templates.fit(plain, "x")
    plain.eos_token = None
    with pytest.raises(ParamsError, match="eos_token"):
        templates.fit(plain, "x")


def test_the_models_folder_is_an_operators_setting() -> None:
    given = settings.load({"COURSE_MODELS_DIR": "/models", "COURSE_HUB_MODELS": "1"})
    assert (given.models_dir, given.hub_models) == (Path("/models"), True)
    assert not Settings().hub_models
