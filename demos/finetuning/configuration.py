"""A model's folder read as data: ``config.json`` and the headers of its safetensors become an ``Architecture``.

Nothing is executed and no weight is read: what a file says is compared with what the other says, and a folder that
would make ``transformers`` run code, read pickle or reserve memory for numbers that are not there is refused in words.
Leaves out where folders come from and whether they fit the memory (``sources``).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

from common import numbers
from demos.lora.architectures import Architecture, Family, Sizes, build
from demos.params import ParamsError, nearest

CONFIG, TOKENIZER, TOKENIZER_CONFIG = "config.json", "tokenizer.json", "tokenizer_config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
LARGEST_JSON, LARGEST_TOKENIZER, LARGEST_HEADER = 8 << 20, 128 << 20, 64 << 20
DTYPES = MappingProxyType({"F32": "float32", "F16": "float16", "BF16": "bfloat16"})
_NOT_WEIGHTS = (".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")
"""Buffers that old files keep beside the weights."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A ``model_type`` of transformers: the family of its layers, and defaults where config.json is silent."""

    family: Family
    causal: str
    kv_heads: int | None = None  # None: as many as heads
    head_dim: int | None = None  # None: hidden / heads
    tied: bool = False


KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "llama": _Kind("llama", "LlamaForCausalLM"),
        "mistral": _Kind("llama", "MistralForCausalLM", kv_heads=8),
        "qwen2": _Kind("qwen2", "Qwen2ForCausalLM", kv_heads=32),
        "gemma2": _Kind("gemma2", "Gemma2ForCausalLM", kv_heads=4, head_dim=256, tied=True),
        "phi3": _Kind("phi3", "Phi3ForCausalLM"),
        "gpt2": _Kind("gpt2", "GPT2LMHeadModel", tied=True),
    }
)
"""The architectures that a run may have as its base."""
_LIMITS = {"hidden": 65_536, "layers": 512, "heads": 1024, "kv_heads": 1024, "head_dim": 4096}
_LIMITS |= {"intermediate": 1 << 20, "vocab": 1 << 21, "positions": 1 << 24}
_NAMES = {
    "hidden": ("hidden_size", "n_embd"),
    "layers": ("num_hidden_layers", "n_layer"),
    "heads": ("num_attention_heads", "n_head"),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim",),
    "intermediate": ("intermediate_size", "n_inner"),
    "vocab": ("vocab_size",),
    "positions": ("n_positions", "max_position_embeddings"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a folder holds."""

    architecture: Architecture
    dtype: str  # of the stored weights
    bytes: int  # of the weight files


def describe(folder: Path, title: str) -> Described:
    """Check a folder and say what model it holds.

    Raises:
        ParamsError: something is missing, strange or unsafe; says what.
    """
    architecture = read_config(load(folder / CONFIG, title), title)
    if not (folder / TOKENIZER).is_file():
        raise ParamsError(f"В папке модели «{title}» нет {TOKENIZER}: без токенизатора модель не прочтёт ни слова.")
    load(folder / TOKENIZER, title, LARGEST_TOKENIZER)
    if (folder / TOKENIZER_CONFIG).exists():
        _no_code(load(folder / TOKENIZER_CONFIG, title), title)
    tensors, size = _tensors(folder, title)
    _agree(architecture, tensors, title)
    kinds = [dtype for dtype, _ in tensors.values()]
    return Described(architecture, DTYPES[max(set(kinds), key=kinds.count)], size)


def read_config(config: Mapping[str, Any], title: str) -> Architecture:
    """The architecture that a config.json describes.

    Raises:
        ParamsError: it is unknown, wants its own code, is quantized already, or its numbers make no model.
    """
    _no_code(config, title)
    kind = _kind(config, title)
    if "quantization_config" in config:
        raise ParamsError(f"Модель «{title}» уже квантована: возьмите исходные веса, курс квантует их сам.")
    if config.get("attention_bias") or config.get("mlp_bias"):
        raise ParamsError(f"У модели «{title}» необычные слои со сдвигами (attention_bias): такую курс не обучает.")
    hidden, layers, heads = (_number(config, name, title) for name in ("hidden", "layers", "heads"))
    kv_heads = _number(config, "kv_heads", title, kind.kv_heads or heads)
    head_dim = _number(config, "head_dim", title, kind.head_dim or max(1, hidden // heads))
    if heads % kv_heads or (kind.family == "gpt2" and (kv_heads != heads or heads * head_dim != hidden)):
        raise ParamsError(
            f"В {CONFIG} модели «{title}» числа не складываются: голов {heads}, из них для ключей {kv_heads}, "
            f"размер головы {head_dim}, ширина {hidden}."
        )
    sizes = Sizes(
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=_number(config, "intermediate", title, 4 * hidden if kind.family == "gpt2" else None),
        vocab=_number(config, "vocab", title),
        tied=bool(config.get("tie_word_embeddings", kind.tied)),
        positions=_number(config, "positions", title, 1024),
    )
    return build(title, title, kind.family, sizes)


def _kind(config: Mapping[str, Any], title: str) -> _Kind:
    name = config.get("model_type")
    if not isinstance(name, str) or name not in KINDS:
        shown = str(name)[:40]
        raise ParamsError(
            f"Архитектура «{shown}» модели «{title}» курсу незнакома{nearest(shown, KINDS)}; "
            f"знакомы {', '.join(KINDS)}."
        )
    kind = KINDS[name]
    said = config.get("architectures")
    if said and (not isinstance(said, list) or kind.causal not in said):
        raise ParamsError(f"Модель «{title}» — не языковая: нужна {kind.causal}, а в {CONFIG} другая голова.")
    return kind


def _no_code(config: Mapping[str, Any], title: str) -> None:
    if "auto_map" in config:
        raise ParamsError(
            f"Модель «{title}» просит выполнить код из своей папки (auto_map): курс чужого кода не выполняет. "
            f"Возьмите модель одной из архитектур {', '.join(KINDS)}."
        )


def _number(config: Mapping[str, Any], name: str, title: str, default: int | None = None) -> int:
    found = next((config[key] for key in _NAMES[name] if config.get(key) is not None), default)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= _LIMITS[name]:
        raise ParamsError(
            f"В {CONFIG} модели «{title}» поле {_NAMES[name][0]} = {str(found)[:40]}: "
            f"нужно целое от 1 до {numbers.integer(_LIMITS[name])}."
        )
    return found


def load(path: Path, title: str, largest: int = LARGEST_JSON) -> dict[str, Any]:
    """A JSON object from a file of bounded size."""
    if not path.is_file():
        raise ParamsError(f"В папке модели «{title}» нет файла {path.name}.")
    if path.stat().st_size > largest:
        raise ParamsError(f"Файл {path.name} модели «{title}» слишком велик: {numbers.size(path.stat().st_size)}.")
    return _parse(path.read_bytes(), path.name, title)


def _parse(content: bytes, name: str, title: str) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise ParamsError(f"Файл {name} модели «{title}» испорчен: это не JSON.") from None
    if not isinstance(data, dict):
        raise ParamsError(f"Файл {name} модели «{title}» испорчен: в нём не объект JSON.")
    return data


Tensors = dict[str, tuple[str, tuple[int, ...]]]
"""Name of a tensor → its type and shape."""


def _tensors(folder: Path, title: str) -> tuple[Tensors, int]:
    """All tensors of the folder's safetensors by their headers, and the bytes of the files."""
    tensors: Tensors = {}
    files = _files(folder, title)
    for path in files:
        tensors |= _header(path, title)
    return tensors, sum(path.stat().st_size for path in files)


def _files(folder: Path, title: str) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        pickled = any(path.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl") for path in folder.iterdir())
        why = "веса лежат в формате pickle, а он умеет выполнять код" if pickled else "весов в ней нет"
        raise ParamsError(f"В папке модели «{title}» нет {WEIGHTS}: {why}. Нужен формат safetensors.")
    parts = load(folder / INDEX, title).get("weight_map")
    if not isinstance(parts, dict) or not all(isinstance(name, str) for name in parts.values()):
        raise ParamsError(f"Файл {INDEX} модели «{title}» испорчен: в нём нет списка weight_map.")
    names = sorted(set(parts.values()))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise ParamsError(f"В папке модели «{title}» нет части весов «{name[:60]}», названной в {INDEX}.")
    return [folder / name for name in names]


def _header(path: Path, title: str) -> Tensors:
    """The header of one file: eight bytes of length, then JSON; the numbers behind it are not read."""
    broken = ParamsError(f"Файл {path.name} модели «{title}» испорчен: это не safetensors.")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size + 1
        if length > min(LARGEST_HEADER, size - 8):
            raise broken
        header = _parse(file.read(length), path.name, title)
    header.pop("__metadata__", None)
    try:
        found = {
            name: (str(said["dtype"]), tuple(int(side) for side in said["shape"])) for name, said in header.items()
        }
        ends = [int(said["data_offsets"][1]) for said in header.values()]
    except (KeyError, TypeError, ValueError, IndexError):
        raise broken from None
    if 8 + length + max(ends, default=0) != size:
        raise broken
    strange = next((dtype for dtype, _ in found.values() if dtype not in DTYPES), None)
    if strange:
        raise ParamsError(f"Веса модели «{title}» хранятся в {strange[:20]}: нужны F32, F16 или BF16.")
    return found


def _agree(architecture: Architecture, tensors: Tensors, title: str) -> None:
    """Every layer that config.json promises is there with its shape, and nothing is there besides."""
    short = {name.removeprefix("transformer."): shape for name, (_, shape) in tensors.items()}
    for module in architecture.modules:
        if module.kind == "head" and architecture.sizes.tied:
            short.pop("lm_head.weight", None)
            continue
        turned = architecture.family != "gpt2" or module.kind == "head"
        shape = (
            (module.outputs, module.inputs)
            if turned and module.kind != "embedding"
            else (module.inputs, module.outputs)
        )
        for key in architecture.keys(module.path):
            name = f"{key.removeprefix('transformer.')}.weight"
            if short.get(name) != shape:
                there = " × ".join(map(str, short.get(name, ()))) or "его нет"
                raise ParamsError(
                    f"Веса модели «{title}» не те, что обещает {CONFIG}: слой {name} должен быть "
                    f"{' × '.join(map(str, shape))}, а в файле {there}."
                )
    stored = sum(prod(shape) for name, shape in short.items() if not name.endswith(_NOT_WEIGHTS))
    if stored != architecture.base:
        raise ParamsError(
            f"Веса модели «{title}» не те, что обещает {CONFIG}: там {numbers.integer(architecture.base)} параметров, "
            f"а в файлах {numbers.integer(stored)}."
        )
