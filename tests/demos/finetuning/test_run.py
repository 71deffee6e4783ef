"""Runs really train: every method, its preflight, its alarms, its cancel, and what it leaves behind."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from demos.finetuning import base_model, events, recipe, tasks
from demos.finetuning.events import Alarm, Evaluated, Event, Failed, Finished, Stage, Started, Step
from demos.finetuning.run import run
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import Data

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),  # peft reads it
]

SHORT: dict[str, Any] = {"steps": 6, "examples": 40, "held_out": 4, "evaluate_every": 6, "batch": 8}
METHODS = {
    "full": {"quantization": "none", "learning_rate": 1e-3},
    "lora": {"quantization": "int8"},
    "dora": {"quantization": "fp4"},
    "rslora": {"double_quantization": False},
    "pissa": {"quantization": "none", "learning_rate": 1e-3},
    "vera": {"learning_rate": 0.1},
    "ia3": {"learning_rate": 0.1},
    "adalora": {"learning_rate": 0.05},
    "prompt": {"learning_rate": 0.1},
    "prefix": {"learning_rate": 0.1},
    "ptuning": {"learning_rate": 0.05},
    "bottleneck": {},
}


@pytest.fixture(autouse=True, scope="module")
def few_questions() -> Iterator[None]:
    """Two questions of each old skill instead of twenty."""
    from demos.finetuning import evaluate

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "EACH", 2)
        evaluate.old_skills.cache_clear()
        yield
    evaluate.old_skills.cache_clear()


@pytest.fixture(scope="module")
def data() -> Data:
    return tasks.build("json")


@pytest.fixture(scope="module")
def qlora(data: Data, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, list[Event], Path]:
    folder = tmp_path_factory.mktemp("qlora")
    spec = RunSpec(**{**SHORT, "steps": 16, "evaluate_every": 8, "held_out": 8, "accumulation": 2, "dropout": 0.1})
    return spec, list(run(spec, data=data, folder=folder)), folder


def _last(found: Sequence[Event]) -> Finished:
    assert isinstance(found[-1], Finished), found[-1]
    return found[-1]


def _one(found: Sequence[Event], kind: type[Any]) -> Any:
    return next(event for event in found if isinstance(event, kind))


def _failed(found: Sequence[Event]) -> Failed:
    assert isinstance(found[-1], Failed), found[-1]
    return found[-1]


def test_a_run_tells_its_story_in_order(qlora: tuple[RunSpec, list[Event], Path]) -> None:
    _, found, _ = qlora
    stages = [event.name for event in found if isinstance(event, Stage)]
    assert stages == ["load", "data", "before", "preflight", "train", "after", "save"]
    assert [event.step for event in found if isinstance(event, Evaluated)] == [0, 8, 16]
    assert [events.from_json(json.loads(json.dumps(events.to_json(event)))) for event in found] == found
    seconds = [event.seconds for event in found if not isinstance(event, Alarm)]
    assert seconds == sorted(seconds)


def test_preflight_shows_what_is_trained(qlora: tuple[RunSpec, list[Event], Path]) -> None:
    started = _one(qlora[1], Started)
    assert started.label.endswith("<|end|>›")
    assert "<|assistant|>‹{" in started.label
    assert started.label.count("‹") == 1
    assert started.first_loss == started.base_loss  # B is zero
    assert started.overfit_loss < started.first_loss / 2
    assert 0.2 < started.trained_tokens / started.all_tokens < 0.8
    assert started.optimizer_bytes == 8 * started.trainable
    assert started.train_examples == 40
    assert set(started.layers) == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert 2e6 < started.base_bytes < 3e6  # 4-bit layers, float32 embeddings


def test_it_learns_and_the_adapter_can_be_switched_off(qlora: tuple[RunSpec, list[Event], Path]) -> None:
    finished = _last(qlora[1])
    assert finished.validation_after < finished.validation_before * 0.7
    assert finished.adapter_off_equals_base is True
    assert finished.adapter_off_difference is not None
    assert finished.adapter_off_difference > 0  # four bits are not thirty-two
    assert len(finished.answers) == finished.before.of == 8
    assert [item.skill for item in finished.retention] == list(dict.fromkeys(i.skill for i in finished.retention))
    assert not [event for event in qlora[1] if isinstance(event, Alarm)]


def test_the_adapter_opens_without_us(qlora: tuple[RunSpec, list[Event], Path]) -> None:
    from peft import PeftModel

    _, found, folder = qlora
    model = PeftModel.from_pretrained(base_model.load(), folder / "adapter")
    assert sum(p.numel() for name, p in model.named_parameters() if "lora_" in name) == _one(found, Started).trainable
    texts = [path.read_text() for path in (folder / "adapter").iterdir() if path.suffix in (".json", ".md")]
    assert not any(str(base_model.FOLDER) in text for text in texts)
    assert _last(found).file_bytes == (folder / "adapter" / "adapter_model.safetensors").stat().st_size


def test_the_recipe_that_is_shown_is_the_run(
    qlora: tuple[RunSpec, list[Event], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demos.finetuning.quantized import quiet

    spec, found, folder = qlora
    (tmp_path / "model").symlink_to(base_model.FOLDER)
    (tmp_path / "data").symlink_to(folder / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    scope: dict[str, Any] = {}
    with quiet():
        exec(compile(recipe.source(spec), "recipe.py", "exec"), scope)  # noqa: S102 - our own text
    logged = {item["step"]: item["loss"] for item in scope["trainer"].state.log_history if "loss" in item}
    told = {event.step: event.loss for event in found if isinstance(event, Step)}
    assert len(told) >= 2
    assert told == {step: logged[step] for step in told}
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains(method: str, data: Data, tmp_path: Path) -> None:
    spec = RunSpec(**{**SHORT, "method": method, **METHODS[method]})
    found = list(run(spec, data=data, folder=tmp_path))
    started, finished = _one(found, Started), _last(found)
    assert 0 < started.trainable <= started.total
    assert finished.validation_after < finished.validation_before - 0.05
    assert started.overfit_loss < started.first_loss
    if method not in ("prompt", "prefix", "ptuning"):
        assert started.first_loss == pytest.approx(started.base_loss, abs=2e-3)
    wanted = {"full": None, "pissa": False}.get(method, True)  # PiSSA takes what it trains out of the base
    assert finished.adapter_off_equals_base is wanted
    assert finished.file_bytes > 0
    assert list((tmp_path / ("model" if method == "full" else "adapter")).glob("*.safetensors"))
    assert not [event for event in found if isinstance(event, Alarm)]
    compile(recipe.source(spec), "recipe.py", "exec")


def test_inserts_open_again(data: Data, tmp_path: Path) -> None:
    import torch

    from demos.finetuning import bottleneck

    spec = RunSpec(**{**SHORT, "method": "bottleneck", "quantization": "none", "steps": 2})
    finished = _last(list(run(spec, data=data, folder=tmp_path)))
    assert finished.adapter_off_difference == 0
    model = base_model.load()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        plain = model(input_ids=ids).logits
        bottleneck.load(model, tmp_path / "adapter")
        tuned = model(input_ids=ids).logits
        with bottleneck.off(model):
            assert torch.equal(model(input_ids=ids).logits, plain)
    assert not torch.allclose(tuned, plain)


def test_pissa_is_saved_for_the_base_as_it_was(data: Data, tmp_path: Path) -> None:
    from peft import PeftModel

    from demos.finetuning import evaluate

    spec = RunSpec(**{**SHORT, "method": "pissa", "quantization": "none", "learning_rate": 1e-3})
    finished = _last(list(run(spec, data=data, folder=tmp_path)))
    model = PeftModel.from_pretrained(base_model.load(), tmp_path / "adapter").eval()
    lines = (tmp_path / "data" / "validation.jsonl").read_text().splitlines()
    validation = [json.loads(line)["messages"] for line in lines]
    chats = [tuple(Message(**item) for item in chat) for chat in validation]
    loss = evaluate.loss(model, base_model.tokenizer(), chats).mean
    assert loss == pytest.approx(finished.validation_after, rel=0.02)


def test_control_without_training(data: Data) -> None:
    found = list(run(RunSpec(**{**SHORT, "method": "none"}), data=data))
    finished = _last(found)
    assert _one(found, Started).trainable == finished.steps == 0
    assert finished.adapter_off_difference is not None
    assert finished.adapter_off_difference > 0
    assert finished.validation_after != finished.validation_before


def test_packed_examples_do_not_see_each_other(data: Data) -> None:
    from demos.finetuning import evaluate

    values = {"packing": True, "quantization": "none", "examples": 8, "steps": 4}
    found = list(run(RunSpec(**{**SHORT, **values}), data=data))
    started, finished = _one(found, Started), _last(found)
    apart = evaluate.loss(base_model.load(), base_model.tokenizer(), data.train[:8]).mean
    assert started.train_examples == 8
    assert started.first_loss == pytest.approx(apart, rel=1e-4)  # all eight in one row
    assert finished.validation_after < finished.validation_before


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"targets": ("q_prj",)}, "refused", ("q_prj", "ближайшее — «q_proj»")),
        ({"targets": ("lm_head",)}, "refused", ("lm_head",)),
        ({"rank": 500}, "refused", ("192 × 192", "500")),
        ({"task": "jsn"}, "refused", ("ближайшее — «json»",)),
    ],
)
def test_a_spec_that_does_not_fit_is_refused_in_words(values: dict[str, Any], code: str, words: Sequence[str]) -> None:
    failed = _failed(list(run(RunSpec(**{**SHORT, **values}))))
    assert failed.code == code
    assert all(word in failed.text for word in words)


def test_names_that_take_only_some_layers_are_said() -> None:
    from demos.finetuning import methods

    model = base_model.load()
    some = methods.targets(RunSpec(targets=("q_proj", "qkv_proj")), model)
    assert len(some.found) == 4
    assert "qkv_proj" in some.warning
    one = methods.targets(RunSpec(targets=("layers.0.self_attn.q_proj", "v_proj")), model)
    assert "5 слоёв из 8" in one.warning.replace("\u00a0", " ")
    assert not methods.targets(RunSpec(targets=("q_proj", "mlp.down_proj")), model).warning


def test_a_rate_that_diverges_is_stopped_and_said(data: Data) -> None:
    spec = RunSpec(**{**SHORT, "method": "full", "quantization": "none", "learning_rate": 5.0, "steps": 60})
    found = list(run(spec, data=data))
    assert _failed(found).code == "diverged"
    assert "в десять раз" in _failed(found).text
    assert any(event.code == "divergence" and event.fatal for event in found if isinstance(event, Alarm))
    assert max(event.step for event in found if isinstance(event, Step)) < 40


def test_answers_that_are_empty_teach_nothing() -> None:
    chats = tuple((Message("user", f"повтори: {n}"), Message("assistant", " ")) for n in range(8))
    failed = _failed(list(run(RunSpec(**SHORT), data=Data(chats, chats[:2], chats[:4]))))
    assert failed.code == "no_trained_tokens"
    assert "assistant" in failed.text


def test_some_empty_answers_and_long_texts_are_said(data: Data) -> None:
    empty = (Message("user", "повтори: да"), Message("assistant", ""))
    long = (Message("user", "повтори: да"), Message("assistant", "да " * 700))
    given = Data((empty, *data.train[:12], long), data.validation[:8], data.test[:4])
    found = list(run(RunSpec(**{**SHORT, "steps": 1, "examples": 0, "batch": 2}), data=given))
    _last(found)
    assert {event.code for event in found if isinstance(event, Alarm)} >= {"no_answer", "truncated"}


def test_patience_stops_an_overfitted_run(data: Data) -> None:
    values = {"examples": 8, "steps": 200, "evaluate_every": 8, "patience": 1, "learning_rate": 0.02}
    found = list(run(RunSpec(**{**SHORT, **values}), data=data))
    finished = _last(found)
    assert finished.stopped_early
    assert finished.steps < 200
    assert finished.validation_after == min(event.loss for event in found if isinstance(event, Evaluated))
    assert any(event.code == "early_stop" for event in found if isinstance(event, Alarm))


def test_closing_the_iterator_ends_the_training(data: Data) -> None:
    events_of = run(RunSpec(**{**SHORT, "steps": 2000}), data=data)
    for event in events_of:
        if isinstance(event, Step):
            break
    closed = time.monotonic()
    events_of.close()  # type: ignore[attr-defined]
    assert time.monotonic() - closed < 2
    assert not any(thread.name == "finetuning" for thread in threading.enumerate())


def test_an_evaluation_in_the_middle_leaves_gradients_right(data: Data) -> None:
    import bitsandbytes
    import torch

    from demos.finetuning.quantized import open_base, quiet

    base = open_base(RunSpec())
    ids = torch.arange(10, 40)[None]

    def gradient() -> torch.Tensor:
        inputs = base.model.get_input_embeddings()(ids).detach().requires_grad_()
        base.model(inputs_embeds=inputs, labels=ids).loss.backward()
        assert inputs.grad is not None
        return inputs.grad

    def error_after_an_evaluation() -> float:
        right = gradient()
        with torch.no_grad():
            base.model.eval()(input_ids=ids)
        return float((gradient() - right).norm() / right.norm())

    assert error_after_an_evaluation() == 0
    if bitsandbytes.functional.has_avx512bf16():  # the trap: elsewhere it cannot be shown
        for module in base.model.modules():
            if isinstance(module, bitsandbytes.nn.Linear4bit):
                module.support_avx512bf16_for_cpu = True
        with quiet(), pytest.warns(UserWarning, match="autograd kernel"):
            assert error_after_an_evaluation() > 0.1


def test_answers_do_not_depend_on_the_batch(data: Data) -> None:
    from demos.finetuning import evaluate

    model, tokenizer = base_model.load(), base_model.tokenizer()
    prompts = [chat[:-1] for chat in data.test[:6]]
    together = evaluate.greedy(model, tokenizer, prompts, most=12)
    assert together == evaluate.greedy(model, tokenizer, prompts, most=12, batch=1)
    assert evaluate.greedy(model, tokenizer, []) == []
