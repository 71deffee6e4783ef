"""The comparison of methods held against PEFT itself, live: the model is built on the meta device, without its weights.

What a test does for every model offered (``tests/demos``), a learner may do for the one at hand. Leaves out saving:
names, types and shapes of the file's entries are PEFT's, the length of a file of such entries is ``adapter_file``'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demos.lora import adapter_file, meta, methods
from demos.lora.adapter_file import Tensor
from demos.lora.models import ARCHITECTURES
from demos.params import parameter

VIRTUAL = frozenset(("prompt", "prefix", "ptuning"))


@dataclass(frozen=True, slots=True)
class Params(methods.Params):
    """One method of the comparison."""

    method: str = parameter("lora", "Метод", choices=tuple(methods.METHODS))


@dataclass(frozen=True, slots=True)
class Result:
    """One method: ours beside PEFT's."""

    method: str
    title: str
    trainable: int
    peft_trainable: int
    file_bytes: int
    peft_file_bytes: int
    accepted: bool
    refused: bool  # by PEFT
    equal: bool


def check(params: Params) -> Result:
    """Build one method's adapter with PEFT, on a base in 16 bits, and compare count and file.

    Raises:
        ParamsError: no target names.
    """
    row = next(row for row in methods.methods(_plain(params)).rows if row.method == params.method)
    known = (row.method, row.title, row.trainable)
    try:
        trainable, entries = build(params.method, params)
    except ValueError:  # PEFT refuses the targets
        return Result(*known, 0, row.file_bytes, 0, row.accepted, True, not row.accepted)
    header = adapter_file.header_bytes(entries, peft=params.method != "bottleneck")
    size = header + sum(tensor.bytes for tensor in entries)
    equal = row.accepted and (row.trainable, row.file_bytes) == (trainable, size)
    return Result(*known, trainable, row.file_bytes, size, row.accepted, False, equal)


def build(method: str, params: methods.Params) -> tuple[int, tuple[Tensor, ...]]:
    """Trainable parameters and the entries of the file, from the libraries.

    Raises:
        ValueError: PEFT refuses the targets.
    """
    import torch

    architecture = ARCHITECTURES[params.architecture]
    with _meta():
        model = meta.model(architecture).to(torch.bfloat16)
        if method == "bottleneck":
            return _inserted(model, params.bottleneck)
        return _wrapped(method, params, model)


def peft_config(method: str, params: methods.Params, model: Any) -> Any:
    """PEFT's config: the fine-tuning lab's own for a method that it has."""
    from demos.finetuning.methods import peft_config as lab

    made = lab(methods.spec(method, params), model)
    if method == "modules_to_save":
        made.modules_to_save = list(methods.copied(params, ARCHITECTURES[params.architecture]))
    if method == "trainable_tokens":
        made.trainable_token_indices = list(range(params.new_tokens))
    return made


def _plain(params: Params) -> methods.Params:
    return methods.Params(**{name: getattr(params, name) for name in methods.Params.__slots__})


@contextmanager
def _meta() -> Iterator[None]:
    import torch

    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")  # tied heads and transposed weights: no matter for a count
        yield


def _wrapped(method: str, params: methods.Params, model: Any) -> tuple[int, tuple[Tensor, ...]]:
    from peft import get_peft_model, get_peft_model_state_dict

    settings = peft_config(method, params, model)
    wrapped = get_peft_model(model, settings)
    trainable, _ = wrapped.get_nb_trainable_parameters()
    if method in VIRTUAL:  # PEFT computes these vectors and copies them to the CPU: there is nothing to copy here
        tokens = wrapped.prompt_tokens["default"][: params.virtual_tokens]
        vectors = wrapped.prompt_encoder["default"](tokens[None])[0]  # (tokens, numbers of each)
        return trainable, _entries({"prompt_embeddings": vectors})
    if method == "adalora":  # begins with a larger rank; its file is counted at the rank that pruning leaves
        settings.init_r = params.rank
        wrapped = get_peft_model(wrapped.unload(), settings)
    return trainable, _entries(get_peft_model_state_dict(wrapped, save_embedding_layers=False))


def _inserted(model: Any, width: int) -> tuple[int, tuple[Tensor, ...]]:
    """The course's own bottlenecks."""
    from demos.finetuning import bottleneck

    bottleneck.insert(model, width)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    return sum(parameter.numel() for parameter in trained.values()), _entries(trained)


def _entries(state: Mapping[str, Any]) -> tuple[Tensor, ...]:
    import torch

    types = {torch.float32: "F32", torch.bfloat16: "BF16"}
    return tuple(Tensor(name, tuple(tensor.shape), types[tensor.dtype]) for name, tensor in state.items())
