"""Code of the libraries that takes the steps of the layer map. Leaves out looking into quantized weights."""

from __future__ import annotations

from demos.layers.layer_map import STEPS, Params, spec_of

HEAD = """import bitsandbytes
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

path = "content/model"  # из папки курса; подойдёт и ваша модель
"""
REPAIR = """for module in model.modules():  # ловушка bitsandbytes на процессоре: см. урок про QLoRA
    if isinstance(module, bitsandbytes.nn.Linear4bit):
        module.support_avx512bf16_for_cpu = False
"""


def steps(params: Params) -> str:
    """Load, quantize, prepare, adapt; then every parameter with its type."""
    spec = spec_of(params)
    quantizes = params.quantization != "none"
    lines = [HEAD, f"model = {STEPS['quantized' if quantizes else 'loaded'][1](spec)}"]
    if quantizes:
        lines += [REPAIR.rstrip(), f"model = {STEPS['prepared'][1](spec)}"]
    lines += [
        f"model = {STEPS['peft'][1](spec)}",
        "for name, tensor in model.named_parameters():",
        "    print(name, tuple(tensor.shape), tensor.dtype, tensor.requires_grad)",
        "    if getattr(tensor, 'quant_state', None) is not None:  # внутри Linear4bit",
        "        print('   ', tensor.quant_state.absmax.shape, tensor.quant_state.absmax.dtype)",
    ]
    return "\n".join(lines)
