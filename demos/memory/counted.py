"""The same bytes counted on a real model: what the memory calculator is held against (a test, ``scripts/memory.py``).

Builds a model of a given architecture with random weights, quantizes and wraps it as asked, takes one step on a CPU
and counts: parameters, quantization constants, gradients, the optimizer's tensors, and what autograd keeps, each
storage once, at the moment when most of it is alive. Leaves out GPUs and the allocator. Loads torch in its functions.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demos.lora import meta
from demos.lora.architectures import Architecture
from demos.memory.training import Params

ALPHA = 16


@dataclass(frozen=True, slots=True)
class Counted:
    """Bytes of one real step."""

    weights: int  # of the base, quantization constants included
    adapter: int
    gradients: int
    optimizer: int
    activations: int  # kept for the backward pass, without the loss


def step(architecture: Architecture, params: Params) -> Counted:
    """One step of training on random tokens, counted.

    Raises:
        ValueError: ``params`` asks for what a CPU cannot do.
    """
    import torch

    torch.manual_seed(0)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # GPT-2's transposed weights, paged optimizers without a GPU: known
        model = _wrap(_load(architecture, params, folder), params)
        weights = _weights(model, params)  # before the first use: bitsandbytes then moves the scales of INT8 away
        optimizer = _optimizer(model, params)
        ids = torch.randint(0, architecture.sizes.vocab, (params.batch, params.length))  # (batch, length)
        mask = torch.ones_like(ids)
        mask[-1, -1] = 0 if params.padding else 1  # transformers drops a mask that hides nothing
        with _watch(model) as watched:
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits  # (batch, length, vocab)
            (logits.sum() * 1.0).backward()
        optimizer.step()
    return _count(model, optimizer, params, weights, watched.peak)


def imagined(architecture: Architecture, params: Params) -> int:
    """Bytes that autograd would keep of full fine-tuning at any size: tensors that have a shape and no numbers.

    A causal mask always comes along with such tensors, so the estimate is that of examples of different length.
    """
    import torch
    import transformers
    from torch._subclasses.fake_tensor import FakeTensorMode

    auto: Any = transformers.AutoModelForCausalLM
    kept: dict[int, Any] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage  # held, so that no address is used twice
        return tensor

    with FakeTensorMode(allow_non_fake_inputs=True):
        model = auto.from_config(_config(architecture, params), dtype=getattr(torch, params.dtype)).train()
        own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
        ids = torch.zeros((params.batch, params.length), dtype=torch.long)  # (batch, length)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            _logits = model(input_ids=ids, use_cache=False).logits  # (batch, length, vocab); holds the graph
        return sum(storage.nbytes() for storage in kept.values())


def _load(architecture: Architecture, params: Params, folder: str) -> Any:
    import torch
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(_config(architecture, params), dtype=getattr(torch, params.dtype))
    settings = _quantization(params)
    if settings is None:
        return model
    model.save_pretrained(folder)
    return auto.from_pretrained(
        folder, quantization_config=settings, dtype=getattr(torch, params.dtype), attn_implementation=params.attention
    )


def _config(architecture: Architecture, params: Params) -> Any:
    config = meta.config(architecture)
    config._attn_implementation = params.attention
    for name in {"attn_pdrop", "resid_pdrop", "embd_pdrop"} & vars(config).keys():
        setattr(config, name, 0.0)
    if architecture.family == "gpt2":
        config.bos_token_id = config.eos_token_id = 0
    return config


def _quantization(params: Params) -> Any:
    import torch
    import transformers

    if params.method == "full" or params.quantization == "none":
        return None
    make: Any = transformers.BitsAndBytesConfig
    if params.quantization == "int8":
        return make(load_in_8bit=True)
    return make(
        load_in_4bit=True,
        bnb_4bit_quant_type=params.quantization,
        bnb_4bit_use_double_quant=params.double_quantization,
        bnb_4bit_compute_dtype=getattr(torch, params.dtype),
    )


def _wrap(model: Any, params: Params) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    if params.checkpointing:  # the reentrant kind computes again under our hooks; both keep the same tensors
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": True})
        model.enable_input_require_grads()
    if params.method == "full":
        return model.train()
    names: Any = params.targets[0] if params.targets == ("all-linear",) else list(params.targets)
    dora = params.method == "dora"
    settings = LoraConfig(
        r=params.rank, lora_alpha=ALPHA, target_modules=names, use_dora=dora, task_type="CAUSAL_LM", lora_dropout=0.0
    )
    wrapped: Any = get_peft_model(model, settings).train()
    if params.precision != "float32":  # as trl keeps them: DoRA's magnitudes stay wide
        for name, parameter in wrapped.named_parameters():
            if parameter.requires_grad and "magnitude" not in name:
                parameter.data = parameter.data.to(torch.bfloat16)
    return wrapped


def _optimizer(model: Any, params: Params) -> Any:
    import torch
    from torch import nn

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if "8bit" not in params.optimizer:
        return torch.optim.AdamW(trained)
    import bitsandbytes

    manager = bitsandbytes.optim.GlobalOptimManager.get_instance()
    manager.initialize()
    for module in model.modules():  # as the Trainer of transformers does
        if isinstance(module, nn.Embedding):
            manager.register_module_override(module, "weight", {"optim_bits": 32})
    manager.register_parameters(trained)
    kind = bitsandbytes.optim.PagedAdamW8bit if params.optimizer.startswith("paged") else bitsandbytes.optim.AdamW8bit
    return kind(trained)


class _Watched:
    """Bytes of the storages that autograd holds now, and the most there ever were."""

    def __init__(self, own: set[int]) -> None:
        self.own, self.now, self.peak = own, 0, 0
        self.holders: dict[int, int] = {}

    def take(self, address: int, size: int) -> None:
        if address in self.own:
            return
        self.holders[address] = self.holders.get(address, 0) + 1
        if self.holders[address] == 1:
            self.now += size
            self.peak = max(self.peak, self.now)

    def leave(self, address: int, size: int) -> None:
        if address in self.own:
            return
        self.holders[address] -= 1
        if not self.holders[address]:
            del self.holders[address]
            self.now -= size


class _Held:
    """A saved tensor as autograd holds it: it is gone when autograd lets it go."""

    def __init__(self, tensor: Any, watched: _Watched) -> None:
        storage = tensor.untyped_storage()
        self.tensor, self.watched = tensor.detach(), watched  # with its graph an operation's own result would never go
        self.place = storage.data_ptr(), storage.nbytes()
        watched.take(*self.place)

    def __del__(self) -> None:
        self.watched.leave(*self.place)


@contextmanager
def _watch(model: Any) -> Iterator[_Watched]:
    import torch

    tensors = (*model.parameters(), *model.buffers(), *(t for p in model.parameters() for t in constants(p)))
    watched = _Watched({tensor.untyped_storage().data_ptr() for tensor in tensors})
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: _Held(tensor, watched), lambda held: held.tensor):
        yield watched


def _weights(model: Any, params: Params) -> int:
    base = [parameter for parameter in model.parameters() if parameter.requires_grad == (params.method == "full")]
    return sum(stored(parameter) for parameter in base)


def _count(model: Any, optimizer: Any, params: Params, weights: int, activations: int) -> Counted:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return Counted(
        weights=weights,
        adapter=0 if params.method == "full" else sum(parameter.nbytes for parameter in trained),
        gradients=sum(parameter.grad.nbytes for parameter in trained if parameter.grad is not None),
        optimizer=_states(optimizer),
        activations=activations,
    )


def _states(optimizer: Any) -> int:
    """Every tensor of the optimizer's state once; its step numbers are not worth a byte."""
    import torch

    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for state in optimizer.state.values()
        for tensor in state.values()
        if isinstance(tensor, torch.Tensor) and tensor.dim()
    }
    return sum(storages.values())


def constants(parameter: Any) -> tuple[Any, ...]:
    """The tensors that a quantized weight carries besides its codes."""
    scales, state = getattr(parameter, "SCB", None), getattr(parameter, "quant_state", None)
    found = [] if scales is None else [scales]
    if state is not None:
        found += [state.absmax, state.code]
        found += [state.offset, state.state2.absmax, state.state2.code] if state.nested else []
    return tuple(found)


def stored(parameter: Any) -> int:
    """Bytes of a weight with its quantization constants."""
    return int(parameter.nbytes) + sum(int(tensor.nbytes) for tensor in constants(parameter))
