"""Several adapters on one base: put on, switched, switched off, in one batch, merged into the weights and taken out.

PEFT does the work; its config is built here from checked fields, its weights from a checked file, so nothing of a
stranger's is followed or run. Leaves out blending (``blending``) and quantized bases' merging (``merging``).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from demos.finetuning import evaluate
from demos.finetuning.adapters.config import METHODS
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Adapter
from demos.finetuning.quantized import Base, quiet

if TYPE_CHECKING:
    from torch import Tensor

    from demos.finetuning.skills import Message

BASE = "__base__"
"""PEFT's word for «no adapter» in a mixed batch."""


class Shelf:
    """One base with one adapter of any method, or several of LoRA; names must not hold a dot."""

    def __init__(self, base: Base, adapters: Mapping[str, Adapter]) -> None:
        """Put the adapters on ``base``, which is changed by that.

        Raises:
            AdapterError: adapters that cannot share a base.
        """
        if len(adapters) > 1 and any(one.config.peft_type != "LORA" for one in adapters.values()):
            raise AdapterError("Вместе на одной базе лежат только адаптеры LoRA: остальные откройте по одному.")
        self.base, self.names = base, tuple(adapters)
        self.plain = all(one.config.plain_lora for one in adapters.values())
        with quiet():
            self.model = _dress(base, adapters)

    @contextmanager
    def using(self, name: str) -> Iterator[Any]:
        """The model with one adapter, or as the base with ``BASE``."""
        if name == BASE:
            with self.model.disable_adapter():
                yield self.model
        else:
            self.model.set_adapter(name)
            yield self.model

    def answer(self, name: str, prompts: Sequence[Sequence[Message]], *, most: int = evaluate.MOST) -> list[str]:
        """Greedy answers with one adapter, or of the base."""
        with self.using(name) as model:
            return evaluate.greedy(model, self.base.tokenizer, prompts, most=most)

    def mixed(self, prompts: Sequence[Sequence[Message]], names: Sequence[str], *, most: int = 96) -> list[str]:
        """Greedy answers of one batch in which every row has its own adapter (or ``BASE``). LoRA without DoRA only."""
        import torch

        padded = pad(self.base, prompts)
        with torch.inference_mode():
            out = self.model.generate(
                **padded, max_new_tokens=most, do_sample=False, adapter_names=list(names), **_ends(self.base)
            )
        fresh = out[:, padded["input_ids"].shape[1] :]  # (rows, new tokens)
        return [text.strip() for text in self.base.tokenizer.batch_decode(fresh, skip_special_tokens=True)]

    def logits(self, name: str, prompts: Sequence[Sequence[Message]]) -> Tensor:
        """Logits at the last place of every prompt, (prompts, vocabulary), in float32."""
        with self.using(name) as model:
            return logits(model, self.base, prompts)

    def merge_and_back(self, prompts: Sequence[Sequence[Message]]) -> tuple[float, float]:
        """Largest logit difference after the first adapter is merged into the weights, and after it is taken out."""
        apart = self.logits(self.names[0], prompts)
        with quiet():
            self.model.merge_adapter()
        together = logits(self.model, self.base, prompts)
        self.model.unmerge_adapter()
        back = self.logits(self.names[0], prompts)
        return float((together - apart).abs().max()), float((back - apart).abs().max())


def logits(model: Any, base: Base, prompts: Sequence[Sequence[Message]]) -> Tensor:
    """Logits at the last place of every prompt, (prompts, vocabulary), in float32."""
    import torch

    with torch.inference_mode():
        out: Tensor = model(**pad(base, prompts)).logits[:, -1].float()
    return out


def tensors(adapter: Adapter) -> dict[str, Tensor]:
    """The weights of a checked adapter in float32, by PEFT's names."""
    from safetensors.torch import load

    return {name: tensor.float() for name, tensor in load(adapter.weights).items()}


def _dress(base: Base, adapters: Mapping[str, Adapter]) -> Any:
    from peft import get_peft_model, set_peft_model_state_dict

    ready = {name: _prepared(base, one) for name, one in adapters.items()}
    (first, (config, _)), *others = ready.items()
    model = get_peft_model(base.model, config, adapter_name=first)
    for name, (config, _) in others:
        model.add_adapter(name, config)
    for name, (_, weights) in ready.items():
        set_peft_model_state_dict(model, weights, adapter_name=name)
    model.set_adapter(first)
    return model.eval()


def _prepared(base: Base, adapter: Adapter) -> tuple[Any, dict[str, Tensor]]:
    """PEFT's config and the weights; PiSSA becomes the LoRA that it is when nothing is moved out of the base."""
    import peft

    said = adapter.config
    fields = copy.deepcopy({**said.fields, "inference_mode": True})
    extra = {"total_step": 1} if said.peft_type == "ADALORA" else {}
    weights = tensors(adapter)
    if said.pissa:
        fields, weights = _unmoved(base, adapter, fields, weights)
    return getattr(peft, METHODS[said.peft_type][0])(**fields, **extra), weights


def _unmoved(
    base: Base, adapter: Adapter, fields: dict[str, Any], weights: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """W − s·B₀A₀ + s·B A = W + s·[B, −B₀][A; A₀]: an ordinary LoRA of twice the rank on the untouched base.

    B₀ and A₀ are the main directions of W, found again by the same decomposition.

    Raises:
        AdapterError: the base is quantized, so W is not there to be decomposed.
    """
    import peft
    import torch
    from peft import get_peft_model_state_dict

    if getattr(base.model, "is_quantized", False):
        raise AdapterError("PiSSA раскладывает исходные веса: откройте этот адаптер на неквантованной базе.")
    begun = peft.get_peft_model(copy.deepcopy(base.model), peft.LoraConfig(**fields))
    first = get_peft_model_state_dict(begun, save_embedding_layers=False)
    joined = {
        name: torch.cat([now, first[name]], 0) if "lora_A" in name else torch.cat([now, -first[name]], 1)
        for name, now in weights.items()
    }
    doubled = {name: 2 * rank for name, rank in fields.get("rank_pattern", {}).items()}
    grown = 2**0.5 if fields.get("use_rslora") else 2.0
    alphas = {name: grown * alpha for name, alpha in fields.get("alpha_pattern", {}).items()}
    changed = {
        "r": 2 * adapter.config.rank,
        "lora_alpha": grown * adapter.config.alpha,
        "rank_pattern": doubled,
        "alpha_pattern": alphas,
        "init_lora_weights": True,
    }
    return fields | changed, joined


def pad(base: Base, prompts: Sequence[Sequence[Message]]) -> dict[str, Tensor]:
    """Prompts as one batch, padded on the left: token ids and attention mask, (prompts, length) each."""
    rows = evaluate.encode(base.tokenizer, prompts)
    padded = base.tokenizer.pad({"input_ids": rows}, padding_side="left", return_tensors="pt").to(base.device)
    return {name: padded[name] for name in ("input_ids", "attention_mask")}


def _ends(base: Base) -> dict[str, int]:
    return {"eos_token_id": base.tokenizer.eos_token_id, "pad_token_id": base.tokenizer.pad_token_id}
