"""Code of the libraries that repeats a demo: copied into a notebook, it says the same numbers (a test runs it).

Leaves out the calculator's own config, which ``parameters`` writes.
"""

from __future__ import annotations

from typing import Any

from demos.finetuning.counting import IA3_PLACES
from demos.finetuning.methods import configured, ia3_places
from demos.lora import inits as beginnings
from demos.lora import matrices as maps
from demos.lora import meta, methods
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES
from demos.lora.updates import place


def compare(params: methods.Params) -> str:
    """Every method of PEFT on the meta device: ``counts`` holds the trainable parameters."""
    architecture = ARCHITECTURES[params.architecture]
    kind, sizes = meta.settings(architecture)
    configs = {name: _config(name, params, architecture) for name in methods.METHODS if name != "bottleneck"}
    used = ", ".join(sorted({text.partition("(")[0] for text in configs.values()}))
    listed = "\n".join(f'    "{name}": {text},' for name, text in configs.items())
    return (
        f"import torch\nfrom peft import {used}, get_peft_model\n"
        f"from transformers import AutoModelForCausalLM, {kind}\n\n"
        f"sizes = {_call(kind, sizes)}\n"
        f"configs = {{\n{listed}\n}}\n"
        "counts = {}\n"
        "for name, config in configs.items():\n"
        '    with torch.device("meta"):  # модель без весов: только имена и размеры\n'
        "        model = get_peft_model(AutoModelForCausalLM.from_config(sizes), config)\n"
        "    counts[name], total = model.get_nb_trainable_parameters()\n"
        '    print(f"{name:18} {counts[name]:>15,}")\n'
    )


def layer(params: maps.Params) -> str:
    """The shipped adapter on the bundled model: ``update`` is what PEFT would merge into this layer."""
    return (
        "import torch\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        'base = AutoModelForCausalLM.from_pretrained("content/model", dtype=torch.float32)\n'
        'model = PeftModel.from_pretrained(base, "content/measured/adapters/json")\n'
        f'layer = model.get_submodule("base_model.model.{place(params.layer, params.kind)}")\n'
        "weight = layer.base_layer.weight.detach()\n"
        'update = layer.get_delta_weight("default").detach()  # s·B·A\n'
        "ratio = (update.norm() / weight.norm()).item()\n"
        "energy = torch.linalg.svdvals(update).double().square()\n"
        "curve = (energy.cumsum(0) / energy.sum()).tolist()\n"
        "print(ratio, curve[:8])\n"
    )


def inits(params: beginnings.Params) -> str:
    """Every beginning that PEFT has: ``norms`` holds those of A, of B and of s·B·A."""
    known = {name: value for name, (_, value) in beginnings.INITS.items() if name != "zero"}
    if params.rank % 2:
        known.pop("orthogonal")
    target = place(params.layer, params.kind)
    return (
        "import torch\nfrom peft import LoraConfig, get_peft_model\nfrom transformers import AutoModelForCausalLM\n\n"
        f"norms = {{}}\nfor name, init in {known!r}.items():\n"
        '    base = AutoModelForCausalLM.from_pretrained("content/model", dtype=torch.float32)\n'
        f'    config = LoraConfig(r={params.rank}, lora_alpha={params.alpha:g}, target_modules=["{target}"], '
        "init_lora_weights=init)\n"
        f"    torch.manual_seed({params.seed})\n"
        f'    layer = get_peft_model(base, config).get_submodule("base_model.model.{target}")\n'
        '    parts = layer.lora_A["default"].weight, layer.lora_B["default"].weight, '
        'layer.get_delta_weight("default")\n'
        "    norms[name] = [part.norm().item() for part in parts]\n"
        "    print(name, norms[name])\n"
    )


def _config(method: str, params: methods.Params, architecture: Architecture) -> str:
    name, values = configured(methods.spec(method, params))
    if method == "ptuning":
        values["encoder_hidden_size"] = architecture.sizes.hidden
    if method == "ia3" and architecture.family not in IA3_PLACES:
        values |= ia3_places(module.name for module in architecture.linear)
    if method == "modules_to_save":
        values["modules_to_save"] = list(methods.copied(params, architecture))
    if method == "trainable_tokens":
        values["trainable_token_indices"] = list(range(params.new_tokens))
    return _call(name, values)


def _call(name: str, values: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in values.items())})"
