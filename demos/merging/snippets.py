"""The same by the libraries alone: code that a learner can copy and run in the course's folder. Tests run it.

Leaves out the course's own helpers on purpose.
"""

from __future__ import annotations

from demos.finetuning.adapters import blending, shipped
from demos.merging import arithmetic, precision


def merging(params: precision.Params) -> str:
    """Merging into bfloat16 and into NF4 by PEFT, and what is left of the update."""
    quantized = shipped.SPECS[params.adapter].quantization == "nf4"
    against = "квантованная, рядом с нею адаптер обучен" if quantized else "исходная, рядом с нею адаптер обучен"
    return f"""import bitsandbytes as bnb
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

MODEL, ADAPTER = "content/model", "content/measured/adapters/{params.adapter}"  # база — {against}
NF4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                         bnb_4bit_compute_dtype=torch.float32)


def weights(model):  # слой → матрица в float32
    found = {{}}
    for name, layer in model.named_modules():
        if isinstance(layer, bnb.nn.Linear4bit):
            layer.support_avx512bf16_for_cpu = False  # иначе процессор переупакует веса
            found[name] = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
        elif isinstance(layer, torch.nn.Linear) and name != "lm_head":
            found[name] = layer.weight.data.float().clone()
    return found


def cosine(**how):  # между поправкой и тем, что слияние изменило
    base = AutoModelForCausalLM.from_pretrained(MODEL, **how)
    before = weights(base)
    model = PeftModel.from_pretrained(base, ADAPTER)
    delta = {{}}
    for name, layer in model.base_model.model.named_modules():
        if hasattr(layer, "get_delta_weight"):
            layer.scaling["default"] *= {int(params.strength) / 100:g}  # сила адаптера
            delta[name] = layer.get_delta_weight("default").float()
    after = weights(model.merge_and_unload())
    change = torch.cat([(after[name] - before[name]).flatten() for name in delta]).double()
    update = torch.cat([delta[name].flatten() for name in delta]).double()
    return float(change @ update / (change.norm() * update.norm()))


bfloat16 = cosine(dtype=torch.bfloat16)
nf4 = cosine(dtype=torch.float32, quantization_config=NF4)
print(f"bfloat16: {{bfloat16:.4f}}, NF4: {{nf4:.4f}}")
"""


def summing(params: arithmetic.Params) -> str:
    """A weighted sum of two adapters by PEFT, and its answer."""
    density = f", density={params.density:g}" if params.way in blending.DENSE else ""
    return f'''import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, ADAPTERS = "content/model", "content/measured/adapters"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
model = PeftModel.from_pretrained(base, f"{{ADAPTERS}}/{params.first}", adapter_name="{params.first}")
model.load_adapter(f"{{ADAPTERS}}/{params.second}", adapter_name="{params.second}")
torch.manual_seed(0)  # dare выбирает числа случайно
model.add_weighted_adapter(
    ["{params.first}", "{params.second}"], [{params.first_weight:g}, {params.second_weight:g}], "blend",
    combination_type="{params.way}"{density},
)
model.set_adapter("blend")

question = [{{"role": "user", "content": "переведи в JSON: большая кошка видит дом"}}]
inputs = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_dict=True, return_tensors="pt")
out = model.generate(**inputs, max_new_tokens=48, do_sample=False)
answer = tokenizer.decode(out[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True)
print(answer)
'''
