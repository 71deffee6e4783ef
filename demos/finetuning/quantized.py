"""Opening a base model for a run, quantized by bitsandbytes or not: the one place where the course does that.

On a CPU with AVX512-BF16 bitsandbytes 0.50 repacks 4-bit weights at the first forward pass without gradients; after
that gradients, merging and saving are silently wrong. ``repair`` forbids it, on every machine, so that results do not
depend on the processor. Leaves out which models may be opened (``sources``) and what is trained (``methods``).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demos.finetuning import devices
from demos.finetuning.spec import RunSpec

if TYPE_CHECKING:
    import torch

_NOISE = (
    "PiSSA changes the base weights",  # said while peft converts it into a plain LoRA, which is the cure
    "Position ids are not supported",  # generate gives them; peft makes its own for virtual tokens
    "`is_gradient_checkpointing` is deprecated",  # peft 0.21 reads it
    "fan_in_fan_out is set to False",  # GPT-2 keeps its weights transposed: peft sees it and sets it right
)

_TALKERS = (
    "bitsandbytes.backends.cpu.ops",  # an optional kernel is not installed
    "bitsandbytes.autograd._functions",  # LLM.int8() multiplies in 16 bits: known and meant, said for every layer
)


@dataclass(frozen=True, slots=True)
class Base:
    """A base model ready for a run, in evaluation mode."""

    model: Any
    tokenizer: Any
    device: str
    dtype: torch.dtype  # what it computes in

    @property
    def positions(self) -> int:
        """The longest text in tokens that we give it."""
        config = self.model.config.get_text_config()
        return min(getattr(config, "max_position_embeddings", None) or 512, 512)


def open_base(spec: RunSpec, *, original: bool = False) -> Base:
    """The base that ``spec`` names; ``original`` leaves it unquantized.

    Raises:
        ParamsError: there is no such model here, or it cannot be quantized.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from demos.finetuning import sources

    device, dtype = _device(), compute_dtype(spec)
    place = sources.resolve(spec).place
    config = None if original else quantization(spec)
    model = AutoModelForCausalLM.from_pretrained(
        place,
        dtype=torch.float32 if spec.method == "full" else dtype,  # what is trained keeps its precision
        quantization_config=config,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        **({} if device == "cpu" else {"device_map": {"": 0}}),
    )
    repair(model)
    return Base(model.eval(), sources.tokenizer(place, model.config.get_text_config().vocab_size), device, dtype)


def quantization(spec: RunSpec) -> Any:
    """The ``BitsAndBytesConfig`` of a spec; None without quantization."""
    from transformers import BitsAndBytesConfig

    if spec.quantization == "none":
        return None
    if spec.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=spec.quantization,
        bnb_4bit_use_double_quant=spec.double_quantization,
        bnb_4bit_compute_dtype=compute_dtype(spec),
    )


def repair(model: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for inference; see the module's docstring."""
    import bitsandbytes

    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False


def restore_precision(model: Any) -> None:
    """Give trainable parameters float32 again: trl 1.16 made them bfloat16 on a quantized base, whatever the device.

    Mixed precision in float16 (a T4) cannot train them so, and in float32 it only costs precision (trl#4901).
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def compute_dtype(spec: RunSpec) -> torch.dtype:
    """What the model computes in: as the spec says, or the best that the device has."""
    import torch

    chosen: torch.dtype = getattr(torch, devices.choose_dtype(devices.here(), spec.dtype))
    return chosen


def stored_bytes(model: Any) -> int:
    """Bytes of the weights as they lie in memory, constants of quantization included, shared weights once."""
    return sum(_parameter_bytes(parameter) for parameter in model.parameters())


def _parameter_bytes(parameter: Any) -> int:
    total = int(parameter.numel() * parameter.element_size())
    scales: Any = getattr(parameter, "SCB", None)
    if scales is not None:
        total += scales.numel() * scales.element_size()
    state: Any = getattr(parameter, "quant_state", None)
    for part in (state, getattr(state, "state2", None)):
        for name in ("absmax", "code", "offset"):
            tensor: Any = getattr(part, name, None)
            if hasattr(tensor, "element_size"):
                total += tensor.numel() * tensor.element_size()
    return total


@contextmanager
def quiet() -> Iterator[None]:
    """Known harmless warnings and progress bars of the libraries are kept out of the log; others come through."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for message in _NOISE:
            warnings.filterwarnings("ignore", message=message)
        yield


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
