"""A mixed batch by the libraries alone: code that a learner can copy and run in the course's folder. A test runs it.

Leaves out the router: its vote is a few lines of numpy (``demos.finetuning.adapters.nearness``).
"""

from __future__ import annotations

from demos.router.ask import MOST_TOKENS, Params


def mixed(params: Params) -> str:
    """One request, four rows: three adapters and the base."""
    return f"""import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, ADAPTERS = "content/model", "content/measured/adapters"
NAMES = ["json", "polite", "intents"]
tokenizer = AutoTokenizer.from_pretrained(MODEL)
base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
model = PeftModel.from_pretrained(base, f"{{ADAPTERS}}/{{NAMES[0]}}", adapter_name=NAMES[0])
for name in NAMES[1:]:
    model.load_adapter(f"{{ADAPTERS}}/{{name}}", adapter_name=name)
model.eval()

question = [{{"role": "user", "content": {params.prompt!r}}}]
rows = [*NAMES, "__base__"]  # у каждой строки пакета свой адаптер
inputs = tokenizer.apply_chat_template(
    [question] * len(rows), add_generation_prompt=True, return_dict=True, return_tensors="pt", padding=True)
out = model.generate(**inputs, adapter_names=rows, max_new_tokens={MOST_TOKENS}, do_sample=False)
answers = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1]:], skip_special_tokens=True)
print(dict(zip(rows, answers)))
"""
