"""Several adapters on one real base: put on as trained, switched, off bit for bit, in one batch, blended, routed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import settings
from demos import registry
from demos.finetuning import base_model, skills
from demos.finetuning.adapters import answering, blending, files, library, routing, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.library import BASE, Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import build
from tests.demos.finetuning.adapter_parts import ALL, adapter, config, lora, pack

pytestmark = pytest.mark.slow

PROMPTS = tuple(
    (Message("user", text),) for text in ("переведи: большая кошка видит дом", "сложи: 12 и 7", "повтори: да, нет")
)
PLAIN = RunSpec(quantization="none")
STRONG = 0.2
"""Numbers so large that answers change."""


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """Three adapters on the float32 base, the third of another rank."""
    return Shelf(open_base(PLAIN), {"one": adapter(8, seed=1), "two": adapter(8, seed=2), "three": adapter(4, seed=3)})


def methods() -> dict[str, Any]:
    import peft

    task = {"task_type": "CAUSAL_LM"}
    two = {"target_modules": ["q_proj", "down_proj"], **task}
    return {
        "lora": peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", **task),
        "ranks by layer": peft.LoraConfig(r=4, rank_pattern={"q_proj": 8}, alpha_pattern={"down_proj": 2}, **two),
        "rslora": peft.LoraConfig(r=4, use_rslora=True, **two),
        "dora": peft.LoraConfig(r=4, use_dora=True, **two),
        "pissa": peft.LoraConfig(r=4, lora_alpha=8, init_lora_weights="pissa", **two),
        "adalora": peft.AdaLoraConfig(init_r=6, target_r=4, total_step=10, tinit=1, tfinal=4, **two),
        "vera": peft.VeraConfig(r=8, **two),
        "ia3": peft.IA3Config(**task),
        "prompt": peft.PromptTuningConfig(num_virtual_tokens=4, **task),
        "prefix": peft.PrefixTuningConfig(num_virtual_tokens=4, **task),
        "ptuning": peft.PromptEncoderConfig(num_virtual_tokens=4, encoder_hidden_size=192, **task),
    }


@pytest.mark.parametrize(
    "method",
    ["lora", "ranks by layer", "rslora", "dora", "pissa", "adalora", "vera", "ia3", "prompt", "prefix", "ptuning"],
)
def test_what_peft_saved_answers_the_same_and_switched_off_is_the_base(method: str, tmp_path: Path) -> None:
    trained, wanted = saved(methods()[method], tmp_path)
    base = open_base(PLAIN)
    before = library.logits(base.model, base, PROMPTS)
    shelf = Shelf(base, {"it": trained})
    gap = (shelf.logits("it", PROMPTS) - wanted).abs().max()
    assert gap < (1e-3 if method == "pissa" else 1e-5)  # PiSSA's parts are added in another order
    assert (wanted - before).abs().max() > 1e-3
    assert (shelf.logits(BASE, PROMPTS) == before).all()


def saved(said: Any, folder: Path) -> tuple[files.Adapter, Any]:
    """An adapter that was changed a little, as PEFT saves it, and its logits before saving."""
    import peft
    import torch

    torch.manual_seed(0)
    base = open_base(PLAIN)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        model = peft.get_peft_model(base.model, said)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    wanted = library.logits(model.eval(), base, PROMPTS)
    model.save_pretrained(folder, save_embedding_layers=False)
    return files.open_adapter((folder / files.CONFIG).read_bytes(), (folder / files.WEIGHTS).read_bytes()), wanted


def test_switching_there_and_back_changes_nothing(shelf: Shelf) -> None:
    first = shelf.logits("one", PROMPTS)
    assert (shelf.logits("two", PROMPTS) - first).abs().max() > 0.1
    assert (shelf.logits("one", PROMPTS) == first).all()


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_one_batch_holds_the_base_and_two_adapters(quantization: str) -> None:
    spec = RunSpec(quantization=quantization)  # type: ignore[arg-type]
    base = open_base(spec)
    before = library.logits(base.model, base, PROMPTS)
    shelf = Shelf(base, {"one": adapter(4, seed=1, size=STRONG), "two": adapter(4, seed=2, size=STRONG)})
    rows = [(name, prompt) for name in (BASE, "one", "two") for prompt in PROMPTS[:2]]
    together = shelf.mixed([prompt for _, prompt in rows], [name for name, _ in rows], most=12)
    apart = [answer for name in (BASE, "one", "two") for answer in shelf.answer(name, PROMPTS[:2], most=12)]
    assert together == apart
    assert len(set(together)) > 3  # the adapters do say something of their own
    assert (shelf.logits(BASE, PROMPTS) == before).all()


def test_merged_and_taken_out_again_the_weights_come_back_up_to_rounding(shelf: Shelf) -> None:
    assert all(0 < error < 1e-3 for error in shelf.merge_and_back(PROMPTS))


@pytest.mark.parametrize("way", list(blending.WAYS))
def test_a_blend_of_one_and_nothing_is_the_one(shelf: Shelf, way: blending.Way) -> None:
    name = blending.blend(shelf, {"one": 1.0, "two": 0.0}, way, density=1.0)
    assert (shelf.logits(name, PROMPTS) - shelf.logits("one", PROMPTS)).abs().max() < 1e-4


def test_cat_is_the_exact_sum_and_linear_is_not(shelf: Shelf) -> None:
    import torch

    exact = blending.blend(shelf, {"one": 0.7, "two": 0.3}, "cat")
    rough = blending.blend(shelf, {"one": 0.7, "two": 0.3}, "linear")
    full = blending.blend(shelf, {"one": 0.7, "two": 0.3}, "svd")
    layer = shelf.model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    delta = {name: layer.get_delta_weight(name).detach() for name in ("one", "two", exact, rough, full)}
    wanted = 0.7 * delta["one"] + 0.3 * delta["two"]
    assert torch.allclose(delta[exact], wanted, atol=1e-5)
    errors = {name: float((delta[name] - wanted).norm() / wanted.norm()) for name in (rough, full)}
    assert errors[rough] > errors[full] > 0.05  # of rank 8 the svd is the best there is


def test_the_same_seed_thins_the_same_way(shelf: Shelf) -> None:
    names = [blending.blend(shelf, {"one": 0.5, "two": 0.5}, "dare_linear", seed=seed) for seed in (1, 1, 2)]
    first, again, other = (shelf.logits(name, PROMPTS) for name in names)
    assert (first == again).all()
    assert not (first == other).all()


@pytest.mark.parametrize(
    ("weights", "way", "words"),
    [
        ({"one": 0.5, "three": 0.5}, "linear", r"Ранги разные \(8, 4\).*cat или svd"),
        ({"one": 0.5, "three": 0.5}, "ties", "Ранги разные"),
        ({"one": 0.0, "two": 0.0}, "cat", "просто база"),
        ({"one": -1.0, "two": 1.0}, "cat", "от 0 до 2"),
        ({"one": float("nan"), "two": 1.0}, "cat", "от 0 до 2"),
    ],
)
def test_what_cannot_be_blended_is_told(shelf: Shelf, weights: dict[str, float], way: Any, words: str) -> None:
    with pytest.raises(AdapterError, match=words):
        blending.blend(shelf, weights, way)


def test_unequal_ranks_can_be_summed_exactly(shelf: Shelf) -> None:
    name = blending.blend(shelf, {"one": 0.5, "three": 0.5}, "cat")
    assert shelf.model.peft_config[name].r == 12


def test_methods_of_different_kinds_do_not_share_a_base() -> None:
    said = config(peft_type="IA3", r=..., lora_alpha=..., target_modules=["k_proj"], feedforward_modules=[])
    places = [f"base_model.model.model.layers.{number}.self_attn.k_proj.ia3_l" for number in range(4)]
    other = files.open_adapter(said, pack({place: np.full((192, 1), 1.5, "<f4") for place in places}))
    with pytest.raises(AdapterError, match="по одному"):
        Shelf(open_base(PLAIN), {"one": adapter(), "two": other})


TASKS = ("json", "tools", "intents")


@pytest.fixture(scope="module")
def router() -> routing.Router:
    known = {task: [chat[:-1] for chat in build(task).train[: routing.EXAMPLES]] for task in TASKS}
    return routing.Router(open_base(PLAIN), known)


def test_requests_of_a_task_go_to_its_adapter_and_others_to_the_base(router: routing.Router) -> None:
    for task in TASKS:
        sent = [router.route(chat[:-1]).chosen for chat in build(task).test[:20]]
        assert sent.count(task) >= 18, (task, sent)
    random = Random("own")
    sent = [router.route(skills.draw(random, "test").prompt).chosen for _ in range(40)]
    assert sent.count("base") >= 34, sent


def test_a_request_between_two_is_left_to_the_base() -> None:
    known = {"one": [PROMPTS[0]], "two": [PROMPTS[0]]}
    told = routing.Router(open_base(PLAIN), known).route(PROMPTS[0])
    assert told.abstained
    assert told.chosen == "base"
    assert sum(share.share for share in told.shares) == pytest.approx(1)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two strong adapters as a page keeps them."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    settings.current.cache_clear()
    yield [
        store.put({files.CONFIG: config(target_modules=list(ALL)), files.WEIGHTS: pack(lora(4, ALL, seed, STRONG))})
        for seed in (1, 2)
    ]
    settings.current.cache_clear()


def test_the_page_hears_everyone_at_once(kept: list[str]) -> None:
    asked = {"adapters": kept, "prompt": "сложи: 12 и 7", "weights": ["1", "0"], "way": "cat"}
    result: answering.Result = registry.call("finetuning.adapters.answer", asked)
    assert (result.problem, result.blend_problem) == ("", "")
    assert result.together
    assert result.off_equals_base
    assert [one.name for one in result.said] == ["base", "1", "2", "blend"]
    texts = {one.name: one.text for one in result.said}
    assert texts["blend"] == texts["1"] != texts["base"]
    assert result.said[0].text == base_answer("сложи: 12 и 7")
    assert all(one.shift > 0.1 for one in result.said[1:])


def base_answer(text: str) -> str:
    from demos.finetuning import evaluate

    return evaluate.greedy(base_model.load(), base_model.tokenizer(), [(Message("user", text),)])[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": ""}, "Напишите запрос"),
        ({"prompt": "а" * 500}, "не длиннее 400"),
        ({"adapters": []}, "от одного до 3"),
        ({"adapters": ["0" * 64]}, "больше нет под рукой"),
    ],
)
def test_the_page_is_told_what_cannot_be_asked(kept: list[str], changes: dict[str, Any], words: str) -> None:
    result = registry.call("finetuning.adapters.answer", {"adapters": kept, "prompt": "да"} | changes)
    assert words in result.problem
    assert not result.said


def test_a_blend_that_cannot_be_leaves_the_answers(kept: list[str]) -> None:
    asked = {"adapters": kept, "prompt": "да", "weights": ["много", "0"]}
    result = registry.call("finetuning.adapters.answer", asked)
    assert "от 0 до 2" in result.blend_problem
    assert len(result.said) == 3


def test_an_upload_is_routed_by_the_requests_that_its_owner_typed() -> None:
    asked = {"prompt": "погода в городе завтра?", "tasks": ["json", "-"]}
    assert "Адаптер 2 обучен не на задаче курса" in registry.call("finetuning.adapters.route", asked).problem
    typed = {"examples2": "погода в столице сегодня?\nпогода в доме вчера?\nпогода в лесу завтра?"}
    result = registry.call("finetuning.adapters.route", asked | typed)
    assert result.chosen == "2"
    assert result.confidence > routing.CERTAIN
