"""The run as one Python file that a learner can read, copy and start: the calls that ``run`` makes, without the course.

A test executes it and compares its losses with the run's. Torch-free. Leaves out the questions before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demos.finetuning import methods, training
from demos.finetuning.spec import RunSpec

FOUR_BITS = ("nf4", "fp4")
LENGTH = 512


class Code(str):
    """An expression that stands in the script as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def source(spec: RunSpec) -> str:
    """The script; it wants the folders «model» (the base) and «data» (train.jsonl, validation.jsonl) beside it."""
    if spec.method == "none":
        parts = [_head(spec), _load(spec), _answer()]
    else:
        parts = [_head(spec), _load(spec), _data(spec), _method(spec), _trainer(spec), _end(spec)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _head(spec: RunSpec) -> str:
    peft_class = methods.configured(spec)[0]
    imports = [
        "from pathlib import Path\n" if _own(spec) else "",
        "import bitsandbytes as bnb" if spec.quantization in FOUR_BITS else "",
        "import torch",
        "from datasets import load_dataset" if spec.method != "none" else "",
        f"from peft import {peft_class}" if peft_class else "",
        f"from transformers import {', '.join(_from_transformers(spec))}",
        "from trl import SFTConfig, SFTTrainer" if spec.method != "none" else "",
        "from demos.finetuning import bottleneck  # наш модуль: в PEFT таких вставок нет" if _own(spec) else "",
    ]
    lines = "\n".join(filter(None, imports))
    return f'"""{spec.title}: тот же запуск одним файлом."""\n\n{lines}\n\nMODEL, DATA = "model", "data"  # папки рядом'


def _from_transformers(spec: RunSpec) -> list[str]:
    names = ["AutoModelForCausalLM", "AutoTokenizer"]
    if spec.quantization != "none":
        names.append("BitsAndBytesConfig")
    if spec.method == "adalora":
        names.append("TrainerCallback")
    if spec.patience:
        names.append("EarlyStoppingCallback")
    return names


def _load(spec: RunSpec) -> str:
    dtype = f"torch.{spec.dtype}" if spec.dtype != "auto" else "torch.float32  # на видеокарте — torch.bfloat16"
    text = f"DTYPE = {dtype}\ntokenizer = AutoTokenizer.from_pretrained(MODEL)\n"
    quantized = ""
    if spec.quantization == "int8":
        text += "quantization = BitsAndBytesConfig(load_in_8bit=True)\n"
    elif spec.quantization != "none":
        values = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": spec.quantization,
            "bnb_4bit_use_double_quant": spec.double_quantization,
            "bnb_4bit_compute_dtype": Code("DTYPE"),
        }
        text += _call("quantization = BitsAndBytesConfig", values) + "\n"
    if spec.quantization != "none":
        quantized = ", quantization_config=quantization"
    weights = "torch.float32" if spec.method == "full" else "DTYPE"
    text += f"model = AutoModelForCausalLM.from_pretrained(MODEL, dtype={weights}{quantized})\n"
    if spec.quantization in FOUR_BITS:
        text += """for module in model.modules():  # иначе на процессоре после первой проверки градиенты неверны
    if isinstance(module, bnb.nn.Linear4bit):
        module.support_avx512bf16_for_cpu = False
"""
    return text


def _data(spec: RunSpec) -> str:
    text = """files = {"train": f"{DATA}/train.jsonl", "validation": f"{DATA}/validation.jsonl"}
data = load_dataset("json", data_files=files)  # столбец messages: role, content
"""
    if spec.packing:
        text += f"""lengths = [len(ids) for ids in tokenizer.apply_chat_template(
    data["train"]["messages"][:200], return_dict=True)["input_ids"]]
rows = max(1, round({spec.batch} * sum(lengths) / len(lengths) / {LENGTH}))  # упакованных строк в шаге
"""
    return text


def _method(spec: RunSpec) -> str:
    if _own(spec):
        return f"bottleneck.insert(model, {spec.bottleneck})"
    name, values = methods.configured(spec)
    if spec.method == "ptuning":
        values["encoder_hidden_size"] = Code("model.config.hidden_size")
    if spec.method == "ia3" and spec.targets != (methods.ALL_LINEAR,):
        values |= methods.ia3_places(spec.targets)
    text = _call(f"adapter = {name}", values) if name else ""
    if spec.method == "adalora":
        text += """


class Budget(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.base_model.update_and_allocate(state.global_step + 1)  # сам Trainer этого не делает
"""
    return text


def _trainer(spec: RunSpec) -> str:
    values = {"output_dir": "output", "max_length": LENGTH, **training.arguments(spec)}
    if spec.packing:
        values["per_device_train_batch_size"] = Code("rows")
    if spec.patience:
        values |= {"save_strategy": "steps", "save_steps": spec.evaluate_every, "load_best_model_at_end": True}
    values |= {
        "use_cpu": Code("not torch.cuda.is_available()"),
        "bf16": Code("DTYPE == torch.bfloat16"),
        "fp16": Code("DTYPE == torch.float16"),
    }
    given = {
        "model": Code("model"),
        "args": Code("arguments"),
        "processing_class": Code("tokenizer"),
        "train_dataset": Code('data["train"]'),
        "eval_dataset": Code('data["validation"]'),
    }
    if methods.configured(spec)[0]:
        given["peft_config"] = Code("adapter")
    callbacks = ["Budget()"] * (spec.method == "adalora")
    callbacks += [f"EarlyStoppingCallback({spec.patience})"] * bool(spec.patience)
    if callbacks:
        given["callbacks"] = Code(f"[{', '.join(callbacks)}]")
    return f"{_call('arguments = SFTConfig', values)}\n{_call('trainer = SFTTrainer', given)}"


def _end(spec: RunSpec) -> str:
    text = ""
    if spec.quantization != "none":
        text = """for parameter in trainer.model.parameters():  # trl сделал обучаемые веса bfloat16: вернём им точность
    if parameter.requires_grad and DTYPE != torch.bfloat16:
        parameter.data = parameter.data.float()
"""
    if _own(spec):
        return f'{text}trainer.train()\nbottleneck.save(trainer.model, Path("adapter"), {spec.bottleneck})'
    return f'{text}trainer.train()\ntrainer.save_model("{"tuned" if spec.method == "full" else "adapter"}")'


def _answer() -> str:
    return """question = [{"role": "user", "content": "переведи: кот спит"}]
inputs = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_dict=True, return_tensors="pt")
answer = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
"""


def _own(spec: RunSpec) -> bool:
    return spec.method == "bottleneck"


def _call(name: str, values: Mapping[str, Any]) -> str:
    """A call with one argument a line, strings in double quotes."""
    lines = "".join(f"    {key}={_literal(value)},\n" for key, value in values.items())
    return f"{name}(\n{lines})"


def _literal(value: Any) -> str:
    if isinstance(value, str) and not isinstance(value, Code):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
