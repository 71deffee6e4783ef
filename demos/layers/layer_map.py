"""What each step of preparing QLoRA does to every tensor of the bundled model: the libraries are run, then looked at.

Loaded, quantized, ``prepare_model_for_kbit_training``, ``get_peft_model``, trl's ``SFTTrainer``: nothing is trained.
The steps are taken apart here; ``SFTTrainer(peft_config=…)`` would take the fourth itself. Leaves out gradients and the
optimizer's state: they appear at the first step (``memory.training``).
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from demos.finetuning.spec import QUANTIZATIONS, Quantization, RunSpec
from demos.layers import tensors
from demos.layers.tensors import Tensor
from demos.params import Checked, parameter

LARGE = 4096
Dtype = Literal["bfloat16", "float16", "float32"]
Targets = Literal["all-linear", "q_proj, v_proj"]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """How the model is loaded and what LoRA takes."""

    quantization: Quantization = parameter("nf4", "Квантование", words=QUANTIZATIONS)
    double_quantization: bool = parameter(True, "Двойное квантование", note="только для NF4 и FP4")
    dtype: Dtype = parameter("bfloat16", "dtype при загрузке", choices=("bfloat16", "float16", "float32"))
    targets: Targets = parameter("all-linear", "Целевые слои LoRA", choices=("all-linear", "q_proj, v_proj"))
    rank: int = parameter(16, "Ранг r", low=1, high=128)


def _loading(spec: RunSpec) -> str:
    return f"AutoModelForCausalLM.from_pretrained(path, dtype=torch.{spec.dtype})"


def _quantizing(spec: RunSpec) -> str:
    if spec.quantization == "int8":
        config = "BitsAndBytesConfig(load_in_8bit=True)"
    else:
        config = (
            f'BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="{spec.quantization}", '
            f"bnb_4bit_use_double_quant={spec.double_quantization}, bnb_4bit_compute_dtype=torch.{spec.dtype})"
        )
    return f"AutoModelForCausalLM.from_pretrained(path, dtype=torch.{spec.dtype}, quantization_config={config})"


def _adapting(spec: RunSpec) -> str:
    targets = f'"{spec.targets[0]}"' if len(spec.targets) == 1 else str(list(spec.targets))
    config = f'LoraConfig(r={spec.rank}, lora_alpha={spec.alpha:g}, target_modules={targets}, task_type="CAUSAL_LM")'
    return f"get_peft_model(model, {config})"


STEPS: Mapping[str, tuple[str, Callable[[RunSpec], str]]] = MappingProxyType(
    {
        "loaded": ("загружена", _loading),
        "quantized": ("квантована", _quantizing),
        "prepared": ("подготовлена", lambda _: "prepare_model_for_kbit_training(model)"),
        "peft": ("с адаптером", _adapting),
        "trainer": ("в тренере trl", lambda _: "SFTTrainer(model=model, args=SFTConfig(…), train_dataset=data)"),
    }
)
"""Stage → its name and the call that leads to it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The model after one step. ``code`` is the step itself."""

    id: str
    title: str
    code: str
    tensors: tuple[Tensor, ...]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def trainable(self) -> int:
        """Numbers that take a gradient."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors if tensor.requires_grad)

    @property
    def changed(self) -> tuple[Tensor, ...]:
        """Tensors that are new or other than at the stage before."""
        return tuple(tensor for tensor in self.tensors if tensor.change != "same")


@dataclass(frozen=True, slots=True)
class Result:
    """The stages in order. Without quantization its two stages are left out: there is nothing to do at them."""

    quantization: str
    double_quantization: bool
    dtype: str
    stages: tuple[Stage, ...]
    linear_weights: int  # numbers in the linear layers
    bits: float  # per number of a linear layer as loaded last, constants included
    large_bits: float | None  # the same for a layer of 4096 × 4096; None without four bits
    footprint: int  # model.get_memory_footprint() of the quantized model: it does not count the constants


def layer_map(params: Params) -> Result:
    """Take the steps one by one and look after each."""
    from demos.finetuning import quantized

    spec = spec_of(params)
    with quantized.quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`gradient_checkpointing", category=FutureWarning)  # peft's and trl's
        stages, footprint = _stages(spec)
    inside = [tensor for tensor in stages[-1].tensors if tensor.role in ("weight", "constants")]
    weights = sum(math.prod(tensor.shape) for tensor in stages[0].tensors if tensor.role == "weight")
    return Result(
        quantization=params.quantization,
        double_quantization=params.double_quantization,
        dtype=params.dtype,
        stages=stages,
        linear_weights=weights,
        bits=8 * sum(tensor.bytes for tensor in inside) / weights,
        large_bits=four_bits(LARGE**2, double=params.double_quantization)
        if params.quantization in ("nf4", "fp4")
        else None,
        footprint=footprint,
    )


def four_bits(count: int, *, double: bool) -> float:
    """Bits per number of a layer of so many numbers in blocks of 64: codes, absmax and both tables."""
    blocks, table = count / 64, 16 * 32
    scales = blocks * 8 + math.ceil(blocks / 256) * 32 + 256 * 32 + 32 if double else blocks * 32
    return (4 * count + scales + table) / count


def spec_of(params: Params) -> RunSpec:
    """The same choices as a run would have them."""
    return RunSpec(
        quantization=params.quantization,
        double_quantization=params.double_quantization,
        dtype=params.dtype,
        rank=params.rank,
        alpha=2.0 * params.rank,
        targets=tuple(part.strip() for part in params.targets.split(",")),
    )


def _stages(spec: RunSpec) -> tuple[tuple[Stage, ...], int]:
    """Every stage, and what transformers says the model takes before it is prepared."""
    import peft

    from demos.finetuning import methods, quantized

    seen = [_stage("loaded", spec, quantized.open_base(spec, original=True).model)]
    base = quantized.open_base(spec)
    model, footprint = base.model, int(base.model.get_memory_footprint())
    if spec.quantization != "none":
        seen.append(_stage("quantized", spec, model, seen))
        model = peft.prepare_model_for_kbit_training(model)
        seen.append(_stage("prepared", spec, model, seen))
    model = peft.get_peft_model(model, methods.peft_config(spec, model))
    seen.append(_stage("peft", spec, model, seen))
    seen.append(_stage("trainer", spec, _trainer(model, base.tokenizer, spec).model, seen))
    return tuple(seen), footprint


def _stage(name: str, spec: RunSpec, model: Any, before: Sequence[Stage] = ()) -> Stage:
    now = tensors.look(model)
    title, code = STEPS[name]
    return Stage(name, title, code(spec), tensors.compare(now, before[-1].tensors) if before else now)


def _trainer(model: Any, tokenizer: Any, spec: RunSpec) -> Any:
    """trl's trainer as a user builds it, on one example: nothing will be trained."""
    from datasets import disable_progress_bars
    from trl import SFTConfig, SFTTrainer

    from demos.finetuning import training
    from demos.finetuning.skills import Message

    disable_progress_bars()
    with tempfile.TemporaryDirectory() as output:
        return SFTTrainer(
            model=model,
            processing_class=tokenizer,
            args=SFTConfig(
                output_dir=output,
                report_to="none",
                use_cpu=model.device.type == "cpu",
                bf16=spec.dtype == "bfloat16",
                fp16=False,
                assistant_only_loss=True,
                disable_tqdm=True,
            ),
            train_dataset=training.dataset([(Message("user", "сложи: 2 и 2"), Message("assistant", "4"))]),
        )
