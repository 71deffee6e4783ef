"""Memory of answering against real models: the cache to the byte, what is alive while the prompt is read, devices."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from demos import registry
from demos.lora import meta
from demos.lora.architectures import Family, Sizes, build
from demos.memory import fits, inference
from demos.memory.claims import Params as Claims
from demos.memory.claims import claims

BATCH, LENGTH = 2, 200


def test_cache_and_weights_of_known_models() -> None:
    llama = registry.call("memory.inference", {"architecture": "llama-3.1-8b", "prompt": 7680, "answer": 512})
    assert llama.cache_token == 131_072  # 2 · 32 layers · 8 heads · 128 · 2 bytes
    assert llama.cache == 2**30  # 8192 tokens
    assert llama.weights == 2 * 8_030_261_248
    whole = registry.call("memory.inference", {"architecture": "llama-2-7b", "prompt": 4096, "answer": 0})
    assert whole.cache == 4096 * 524_288  # no grouping: half a MiB a token
    small = registry.call("memory.inference", {"architecture": "mistral-7b", "quantization": "nf4"})
    assert round((small.weights + small.constants) / 1e9, 2) == 4.13
    assert small.total == sum(line.bytes for line in small.lines)


def test_what_grows_with_what() -> None:
    def part(name: str, **arguments: object) -> int:
        return int(getattr(registry.call("memory.inference", arguments), name))

    assert part("cache", batch=4) == 4 * part("cache")
    assert part("cache", cache="int8") * 2 == part("cache")
    assert part("activations", attention="eager") > part("activations")
    assert part("adapters", adapters=3) == 3 * 2 * 41_943_040
    assert part("decode") < part("prefill")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("family", "attention"), [("llama", "sdpa"), ("llama", "eager"), ("phi3", "eager"), ("gpt2", "sdpa")]
)
def test_a_prompt_read_by_a_real_model(family: Family, attention: Any, dtype: Any) -> None:
    sizes = Sizes(192, 3, 6, 6 if family == "gpt2" else 2, 32, 640, 256, True)
    architecture = build("tiny", "tiny", family, sizes)
    cache, alive = _read(architecture, attention, dtype)
    params = inference.Params(
        batch=BATCH, prompt=LENGTH, answer=0, dtype=dtype, cache=dtype, attention=attention, device="cpu"
    )
    estimate = inference.estimate(architecture, params)
    assert estimate.cache == cache
    assert estimate.prefill == pytest.approx(alive, rel=0.02)


def _read(architecture: Any, attention: str, dtype: str) -> tuple[int, int]:
    """Bytes of the cache, and the most of everything else that was alive at once."""
    import torch
    import transformers

    config = meta.config(architecture)
    config._attn_implementation = attention
    if architecture.family == "gpt2":
        config.bos_token_id = config.eos_token_id = 0
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(config, dtype=getattr(torch, dtype)).eval()
    ids = torch.randint(0, 256, (BATCH, LENGTH))
    watched = _watch()
    with torch.no_grad(), watched:
        found = model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
    cache = sum(tensor.untyped_storage().nbytes() for layer in found.layers for tensor in (layer.keys, layer.values))
    return cache, watched.peak - cache


def _watch() -> Any:
    """Counts every storage from the operation that makes it until it is freed."""
    import torch
    from torch.utils import _python_dispatch
    from torch.utils._pytree import tree_leaves

    mode: Any = _python_dispatch.TorchDispatchMode  # untyped

    class Watch(mode):  # type: ignore[misc]
        now = peak = 0

        def __init__(self) -> None:
            super().__init__()
            self.known: set[int] = set()

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = function(*args, **(kwargs or {}))
            given = {id(t.untyped_storage()) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
            old = {t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
            for tensor in tree_leaves(made):
                if isinstance(tensor, torch.Tensor) and id(tensor.untyped_storage()) not in given:
                    self._take(tensor.untyped_storage(), old)
            return made

        def _take(self, storage: Any, old: set[int]) -> None:
            place, size = storage.data_ptr(), storage.nbytes()
            if not size or place in self.known or place in old:
                return
            self.known.add(place)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._leave, place, size)

        def _leave(self, place: int, size: int) -> None:
            self.known.discard(place)
            self.now -= size

    return Watch()


def test_devices_say_yes_up_to_what_they_may_give() -> None:
    usable = {row.title: row.usable for row in fits.table(0).rows}
    for title, size in usable.items():
        rows = {row.title: row for row in fits.table(size).rows}
        assert rows[title].verdict == "yes"
        assert {row.title: row for row in fits.table(size + 1).rows}[title].verdict != "yes"
    paged = {row.title: row.verdict for row in fits.table(20 * 10**9, 8 * 10**9).rows}
    assert paged["T4"] == "paged"
    assert paged["Mac, 16 ГБ"] == "no"  # its memory is one
    assert all(row.usable < row.memory for row in fits.table(1).rows)


def test_common_claims_come_out_as_the_reference_book_has_them() -> None:
    found = {claim.said: claim for claim in claims(Claims()).claims}
    expected = {
        "Обучаемый параметр с AdamW занимает 16 байт": 16,
        "Чистый bfloat16 с AdamW — 8 байт на параметр": 8,
        "Состояние Adam для 7B — 21 ГБ": 57.93e9,
        "Полное дообучение 7B — 112 ГБ": 115.87e9,
        "Llama-3.1-8B в NF4 — 4 ГБ": 5.70e9,
        "Phi-3-mini в NF4 — 2,21 ГБ": 2.26e9,
        "Слой 4096 × 4096 в FP16 — 132 МБ": 33.55e6,
        "Тот же слой в NF4 — 16,5 МБ": 8.66e6,
        "LoRA с r = 8 на q и v — файл около 50 МБ": 13.63e6,
        "Моменты адаптера в 10 млн параметров — 30 МБ": 80e6,
    }
    for said, value in expected.items():
        assert found[said].computed == pytest.approx(value, rel=0.002), said
    kbit = next(claim for claim in found.values() if "prepare_model" in claim.said)
    assert kbit.computed == pytest.approx(2.1e9, rel=0.01)
    large = found["70B с QLoRA помещается на 24 ГБ"]
    assert (large.verdict, large.computed > 36.4e9) == ("неверно", True)


def test_a_verdict_follows_from_its_numbers() -> None:
    for claim in claims(Claims()).claims:
        fits_in = "помещается" in claim.said
        close = claim.computed <= claim.claimed if fits_in else abs(claim.computed / claim.claimed - 1) < 0.05
        assert close == (claim.verdict == "верно") or claim.verdict == "неточно", claim
