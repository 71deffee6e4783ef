"""trl's SFTTrainer built from a spec as a user would build it; ``recipe`` writes the same calls out.

Only the assistant's tokens enter the loss. Leaves out what is reported while it trains (``callbacks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demos.finetuning import bottleneck, methods
from demos.finetuning.quantized import Base, compute_dtype, repair, restore_precision
from demos.finetuning.spec import RunSpec

if TYPE_CHECKING:
    from demos.finetuning.skills import Message

EVALUATION_BATCH = 50
START = "start"
"""Folder of the untrained adapter, inside the trainer's own."""


def dataset(chats: Sequence[Sequence[Message]]) -> Any:
    """A ``datasets.Dataset`` with a column «messages»."""
    from datasets import Dataset

    rows = [{"messages": [{"role": item.role, "content": item.content} for item in chat]} for chat in chats]
    return Dataset.from_list(rows)


def arguments(spec: RunSpec) -> dict[str, Any]:
    """What ``SFTConfig`` is told by the spec alone; ``recipe`` prints the same."""
    return {
        "max_steps": spec.steps,
        "per_device_train_batch_size": spec.batch,
        "per_device_eval_batch_size": EVALUATION_BATCH,
        "gradient_accumulation_steps": spec.accumulation,
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": spec.schedule,
        "warmup_steps": 0 if spec.schedule == "constant" else spec.warmup,  # a share of the steps
        "weight_decay": spec.weight_decay,
        "packing": spec.packing,
        "eval_packing": False,
        "assistant_only_loss": True,
        "train_sampling_strategy": "random" if spec.packing else "group_by_length",
        "activation_checkpointing": spec.checkpointing,
        "eval_strategy": "steps",
        "eval_steps": spec.evaluate_every,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "seed": spec.seed,
    }


def here(spec: RunSpec, base: Base, train: Sequence[Sequence[Message]]) -> dict[str, Any]:
    """What ``SFTConfig`` is told about this model and this device."""
    import torch

    dtype = compute_dtype(spec)
    return {
        "per_device_train_batch_size": rows(spec, base, train),
        "max_length": base.positions,
        "use_cpu": base.device == "cpu",
        "bf16": dtype == torch.bfloat16,
        "fp16": dtype == torch.float16 and base.device != "cpu",
    }


def rows(spec: RunSpec, base: Base, train: Sequence[Sequence[Message]]) -> int:
    """Rows in a step: as many packed ones as hold about ``batch`` examples."""
    if not spec.packing:
        return spec.batch
    some = [[{"role": item.role, "content": item.content} for item in chat] for chat in train[:200]]
    lengths = [len(ids) for ids in base.tokenizer.apply_chat_template(some, return_dict=True)["input_ids"]]
    return max(1, round(spec.batch * sum(lengths) / len(lengths) / base.positions))


def build(
    spec: RunSpec,
    base: Base,
    train: Sequence[Sequence[Message]],
    validation: Sequence[Sequence[Message]],
    *,
    output: str,
    callback: Any = None,
) -> Any:
    """The trainer, its data tokenized, its adapter in place; ``base.model`` is changed.

    Raises:
        ParamsError: the targets or the rank do not fit the model.
    """
    from datasets import disable_progress_bars
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    if spec.method == "bottleneck":
        bottleneck.insert(base.model, spec.bottleneck)
    trainer = SFTTrainer(
        model=base.model,
        processing_class=base.tokenizer,
        args=SFTConfig(output_dir=output, **(arguments(spec) | here(spec, base, train))),
        train_dataset=dataset(train),
        eval_dataset=dataset(validation),
        peft_config=methods.peft_config(spec, base.model),
        callbacks=[callback] if callback else None,
    )
    trainer.remove_callback(PrinterCallback)
    repair(trainer.model)
    if not trainer.args.bf16:
        restore_precision(trainer.model)
    if spec.method == "pissa":  # the base was changed: an adapter for the base as it was needs the start as well
        trainer.model.save_pretrained(str(Path(output) / START), save_embedding_layers=False)
    return trainer
