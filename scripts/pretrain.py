"""``python scripts/pretrain.py COMMAND``: makes the course's base model from nothing but a grammar.

``tokenizer`` trains the byte-level BPE, ``train`` the weights (resumable: ``--resume``), ``publish`` measures every
skill on held-out examples and writes content/model/ with the card, ``evaluate`` measures the committed card again.
The same seed, machine and number of threads give the same weights. Uses a GPU when there is one. Leaves out the
language (``demos.finetuning.grammar``, ``skills``).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from demos.finetuning import base_model, skills

if TYPE_CHECKING:
    from torch import Tensor

VOCABULARY = 2048
CORPUS = 60_000
"""Examples from which the tokenizer learns its merges."""
POOL = 64
"""Batches drawn at once: rows of like length go together, so that little is padded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the weights are made; goes into the card."""

    seed: int = 0
    steps: int = 4000
    late_steps: int = 1200  # with skills.LATE_SHARES, from a smaller learning rate again
    late_share: float = 0.4  # of the learning rate, where the late steps begin
    rows: int = 160
    learning_rate: float = 0.01
    warmup: int = 150
    weight_decay: float = 0.1
    optimizer: str = "muon"
    embedding_share: float = 1.0  # of the learning rate, for what AdamW trains
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    intermediate: int = 576
    vocabulary: int = VOCABULARY
    positions: int = 512


def main() -> int:
    """Run one of the commands; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("tokenizer", "train", "publish", "evaluate"))
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=0, help="stop at this step (a later --resume goes on)")
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    given = vars(parser.parse_args())
    plan = Plan(**{name: given[name] for name in asdict(Plan())})
    if given["command"] == "tokenizer":
        make_tokenizer(plan)
    elif given["command"] == "train":
        Training(plan, given["checkpoints"], given["threads"]).run(resume=given["resume"], until=given["stop_after"])
    elif given["command"] == "publish":
        publish(given["checkpoints"], given["threads"])
    else:
        return evaluate(given["threads"])
    return 0


def make_tokenizer(plan: Plan) -> None:
    """Byte-level BPE with Qwen2's split and single digits, which readers of GGUF know; writes content/model/."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(base_model.SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(base_model.SPECIAL),
        show_progress=False,
    )
    random = Random(f"tokenizer {plan.seed}")
    texts = (message.content for _ in range(CORPUS) for message in skills.draw(random, "train").messages)
    tokenizer.train_from_iterator(texts, trainer)
    whole = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=base_model.PAD,
        eos_token=base_model.END,
        additional_special_tokens=[name for name in base_model.SPECIAL if name not in (base_model.PAD, base_model.END)],
        model_max_length=plan.positions,
        padding_side="left",
    )
    whole.chat_template = base_model.TEMPLATE
    whole.save_pretrained(base_model.FOLDER)


class Training:
    """One training from the first step to the last, with checkpoints in a folder."""

    def __init__(self, plan: Plan, folder: Path, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(plan.seed)
        self.plan, self.folder = plan, folder
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = base_model.tokenizer()
        self.model = new_model(plan, self.tokenizer).to(self.device)
        self.optimizers = _optimizers(plan, self.model)
        self.step = 0
        self.seconds = 0.0
        self.tokens = 0

    def run(self, *, resume: bool, until: int = 0) -> None:
        """Train to the end (or to step ``until``), saving every few hundred steps."""
        if resume:
            self._load()
        started, before = time.monotonic(), self.seconds
        last = until or self.plan.steps + self.plan.late_steps
        for ids, labels in self._batches():
            loss = self._train(ids, labels)
            self.seconds = before + time.monotonic() - started
            if self.step % 50 == 0:
                print(
                    self.step,
                    f"{loss:.4f}",
                    f"{self.tokens / self.seconds:.0f} tokens/s",
                    f"{self.seconds:.0f} s",
                    flush=True,
                )
            if self.step % 200 == 0 or self.step >= last:
                self._save()
            if self.step >= last:
                return

    def _train(self, ids: Tensor, labels: Tensor) -> float:
        """One step; ids and labels: (rows, length), labels −100 where nothing is learned."""
        import torch
        from torch.nn.functional import cross_entropy

        share = _schedule(self.step, self.plan)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * share
        with torch.autocast(self.device, torch.bfloat16):
            hidden = self.model.model(input_ids=ids).last_hidden_state[:, :-1]  # (rows, length − 1, hidden)
            wanted = labels[:, 1:]
            learned = wanted != -100
            logits = self.model.lm_head(hidden[learned])  # (learned, vocabulary)
        loss = cross_entropy(logits.float(), wanted[learned])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self.tokens += ids.numel()
        return float(loss.detach())

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """From the current step on; every pool has a seed of its own, so a resumed training sees what it would have."""
        while True:
            pool, inside = divmod(self.step, POOL)
            batches = self._pool(pool)
            for rows in batches[inside:]:
                yield self._pad(rows)

    def _pool(self, number: int) -> list[list[tuple[list[int], int]]]:
        random = Random(f"{self.plan.seed} {number}")
        rows = self.plan.rows
        late = number * POOL >= self.plan.steps
        examples = [skills.draw(random, "train", late=late) for _ in range(rows * POOL)]
        heads = [base_model.render(example.prompt) for example in examples]
        texts = [f"{head}{example.answer}{base_model.END}" for head, example in zip(heads, examples, strict=True)]
        encode = self.tokenizer.backend_tokenizer.encode_batch
        encoded = [(whole.ids, len(head.ids)) for whole, head in zip(encode(texts), encode(heads), strict=True)]
        encoded.sort(key=lambda item: len(item[0]))
        batches = [encoded[start : start + rows] for start in range(0, len(encoded), rows)]
        random.shuffle(batches)
        return batches

    def _pad(self, rows: list[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
        import torch

        longest = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), longest), self.tokenizer.pad_token_id)
        labels = torch.full((len(rows), longest), -100)
        for place, (row, learned) in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            labels[place, learned : len(row)] = torch.tensor(row[learned:])
        return ids.to(self.device), labels.to(self.device)

    def _save(self) -> None:
        import torch

        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": asdict(self.plan),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "tokens": self.tokens,
            "threads": torch.get_num_threads(),
            "device": self.device,
        }
        torch.save(state, self.folder / "base.new")
        (self.folder / "base.new").replace(self.folder / "base.pt")

    def _load(self) -> None:
        import torch

        state = torch.load(self.folder / "base.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]


def new_model(plan: Plan, tokenizer: Any) -> Any:
    """A Llama with random weights and tied embeddings."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=plan.hidden,
        intermediate_size=plan.intermediate,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        vocab_size=len(tokenizer),
        max_position_embeddings=plan.positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config)


def _optimizers(plan: Plan, model: Any) -> list[Any]:
    """Muon for the matrices of the layers, AdamW for embeddings and norms (Jordan 2024; scale of Liu et al. 2025)."""
    import torch

    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "head" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name or "head" in name]
    betas = (0.9, 0.98)
    if plan.optimizer == "adamw":
        made: list[Any] = [
            torch.optim.AdamW(matrices, plan.learning_rate, betas=betas, weight_decay=plan.weight_decay),
            torch.optim.AdamW(others, plan.embedding_share * plan.learning_rate, betas=betas, weight_decay=0.0),
        ]
    else:
        made = [
            torch.optim.Muon(
                matrices, plan.learning_rate, weight_decay=plan.weight_decay, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW(others, plan.embedding_share * plan.learning_rate, betas=betas, weight_decay=0.0),
        ]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["full_lr"] = group["lr"]
    return made


def _schedule(step: int, plan: Plan) -> float:
    """Linear warm-up, half a cosine to nothing, then once more from ``late_share`` in a straight line."""
    if step >= plan.steps:
        return plan.late_share * max(0.0, 1 - (step - plan.steps) / max(1, plan.late_steps))
    if step < plan.warmup:
        return (step + 1) / plan.warmup
    done = (step - plan.warmup) / max(1, plan.steps - plan.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def publish(folder: Path, threads: int) -> None:
    """Write the weights of the last checkpoint to content/model/ and the card with what was measured."""
    import torch

    torch.set_num_threads(threads)
    state = torch.load(folder / "base.pt", weights_only=True)
    plan = Plan(**state["plan"])
    tokenizer = base_model.tokenizer()
    model = new_model(plan, tokenizer)
    model.load_state_dict(state["model"])
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(base_model.FOLDER)
    made = {name: state[name] for name in ("step", "seconds", "tokens", "threads", "device")}
    from demos.finetuning import card

    card.write(base_model.FOLDER, plan=asdict(plan), made=made)
    print(json.dumps(card.read(base_model.FOLDER), ensure_ascii=False, indent=1))


def evaluate(threads: int) -> int:
    """Measure the committed model again; 1 when any row of its card differs."""
    import torch

    from demos.finetuning import card

    torch.set_num_threads(threads)
    committed = card.rows(card.read())
    found = card.measure(base_model.load(), base_model.tokenizer())
    for now, then in zip(found, committed, strict=True):
        print(
            f"{now.skill:12} {now.right:4} of {now.of}   {'as in the card' if now == then else f'card: {then.right}'}"
        )
    return int(found != committed)


if __name__ == "__main__":
    sys.exit(main())
