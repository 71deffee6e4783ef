"""Which tensors of which shapes an adapter has to hold, from its config and the shapes of the base. Imports no torch.

PEFT itself loads a file with missing or foreign tensors without a word: comparing with this list says it. Leaves out
reading the file (``files``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from demos.finetuning.adapters.config import VIRTUAL, WHAT, Config
from demos.finetuning.adapters.container import AdapterError, short

PREFIX = "base_model.model."
_PART = re.compile(
    r"(.+?)\.(lora_[ABE]\.weight|lora_[ABE]|lora_magnitude_vector\.weight|lora_magnitude_vector|"
    r"lora_embedding_[AB]|vera_lambda_[bd]|ia3_l)"
)
Shapes = Mapping[str, tuple[int, ...]]


def shapes(said: Config, base: Shapes) -> dict[str, tuple[int, ...]]:
    """Every tensor of the file with its shape.

    Raises:
        AdapterError: the targets name nothing in the base, or a rank is above a matrix.
    """
    if said.peft_type in VIRTUAL:
        return _virtual(said, base)
    taken = dict(_taken(said, base))
    found: dict[str, tuple[int, ...]] = {}
    for layer, (outputs, inputs) in taken.items():
        found |= {f"{PREFIX}{layer}.{part}": shape for part, shape in _parts(said, layer, outputs, inputs)}
    if said.peft_type == "VERA":
        sizes = taken.values()
        found[f"{'base_model.'}vera_A"] = (said.rank, max(inputs for _, inputs in sizes))
        found[f"{'base_model.'}vera_B"] = (max(outputs for outputs, _ in sizes), said.rank)
    return found


def place(name: str) -> tuple[str, str]:
    """The layer a tensor belongs to and which part of the adapter it is there: («model.layers.0.…q_proj», «lora_A»)."""
    match = _PART.fullmatch(name.removeprefix(PREFIX))
    if match is None:
        return "", name.removeprefix("base_model.")
    return match[1], match[2].removesuffix(".weight")


def scale(said: Config, layer: str) -> float:
    """What B A of one layer is multiplied by."""
    rank, alpha = rank_of(said, layer), _of_layer(said, "alpha_pattern", layer, said.alpha)
    return float(alpha / (rank**0.5 if said.fields.get("use_rslora") else rank))


def rank_of(said: Config, layer: str) -> int:
    """The rank of the adapter in one layer."""
    if said.peft_type == "ADALORA":
        kept = next((kept for name, kept in said.fields.get("rank_pattern", {}).items() if layer in name), None)
        return said.rank if kept is None else sum(kept)
    return int(_of_layer(said, "rank_pattern", layer, said.rank))


def _of_layer(said: Config, pattern: str, layer: str, usual: float) -> float:
    values: Mapping[str, float] = said.fields.get(pattern) or {}
    return next((value for name, value in values.items() if _named(name, layer)), usual)


def _named(name: str, layer: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _taken(said: Config, base: Shapes) -> Iterator[tuple[str, tuple[int, int]]]:
    layers = {
        name.removesuffix(".weight"): shape for name, shape in base.items() if len(shape) == 2 and "embed" not in name
    }
    found = [layer for layer in layers if any(_named(name, layer) for name in said.targets)]
    left = [name for name in said.targets if not any(_named(name, layer) for layer in layers)]
    if not found or left:
        raise AdapterError(
            f"{WHAT}: слоя «{short(left[0] if left else '')}» в базовой модели курса нет — "
            "адаптер обучен на другой модели."
        )
    for layer in found:
        outputs, inputs = layers[layer]
        if said.peft_type in ("LORA", "ADALORA") and rank_of(said, layer) > min(outputs, inputs):
            raise AdapterError(
                f"{WHAT}: ранг {rank_of(said, layer)} больше матрицы слоя {layer.rpartition('.')[2]} "
                f"({outputs} × {inputs}) — адаптер от модели крупнее."
            )
        yield layer, (outputs, inputs)


def _parts(said: Config, layer: str, outputs: int, inputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    rank = rank_of(said, layer)
    match said.peft_type:
        case "LORA":
            yield "lora_A.weight", (rank, inputs)
            yield "lora_B.weight", (outputs, rank)
            if said.fields.get("use_dora"):
                yield "lora_magnitude_vector", (outputs,)
        case "ADALORA":
            yield "lora_A", (rank, inputs)
            yield "lora_B", (outputs, rank)
            yield "lora_E", (rank, 1)
        case "VERA":
            yield "vera_lambda_b", (outputs,)
            yield "vera_lambda_d", (rank,)
        case "IA3":
            feed = any(_named(name, layer) for name in said.fields.get("feedforward_modules", ()))
            yield "ia3_l", (1, inputs) if feed else (outputs, 1)


def _virtual(said: Config, base: Shapes) -> dict[str, tuple[int, ...]]:
    hidden = base["model.embed_tokens.weight"][1]
    count = said.fields["num_virtual_tokens"]
    if said.peft_type == "PREFIX_TUNING":
        blocks = sum(name.endswith("k_proj.weight") for name in base)
        return {"prompt_embeddings": (count, 2 * blocks * hidden)}
    return {"prompt_embeddings": (count, hidden)}
