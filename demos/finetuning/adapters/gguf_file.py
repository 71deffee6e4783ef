"""A merged Llama written as GGUF, the file that llama.cpp and Ollama read: metadata, tokenizer, weights.

What llama.cpp's own converter does, for the one architecture that the course's model has. Rotary embeddings turn pairs
of neighbours there and halves here, so the rows of queries and keys change places. Leaves out other architectures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from demos.finetuning.base_model import SPECIAL

if TYPE_CHECKING:
    import numpy as np

    from demos.finetuning.quantized import Base

FileType = Literal["f32", "f16", "q8_0"]
ARCHITECTURE = "llama"
SPLIT = "qwen2"
"""How llama.cpp calls our tokenizer's split; see ``base_model.SPLIT``."""
NORMAL, CONTROL = 1, 3
"""llama.cpp's types of tokens."""
_BLOCK = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def write(base: Base, path: Path, *, file_type: FileType = "f32", name: str = "") -> None:
    """Write the model and its tokenizer to ``path``. Vectors stay in float32, as llama.cpp wants them."""
    import gguf

    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    _sizes(writer, base.model.config, name)
    writer.add_file_type({"f32": 0, "f16": 1, "q8_0": 7}[file_type])
    _tokenizer(writer, base.tokenizer)
    kinds = {"f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
    for tensor, values in _tensors(base.model):
        kind = kinds.get(file_type) if values.ndim == 2 else None
        if kind is None:
            writer.add_tensor(tensor, values)
        else:
            writer.add_tensor(tensor, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def for_rope(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix in llama.cpp's order: the two halves of every head take turns."""
    rows, *rest = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, *rest).swapaxes(1, 2).reshape(weight.shape)


def _sizes(writer: Any, config: Any, name: str) -> None:
    if name:
        writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)


def _tokenizer(writer: Any, tokenizer: Any) -> None:
    said: Mapping[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {token["content"] for token in said["added_tokens"]} | set(SPECIAL)
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(SPLIT)
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if token in special else NORMAL for token in tokens])
    writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in said["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat_template(tokenizer.chat_template))


def chat_template(template: str) -> str:
    """The template without the tags that only training needs: other programs' Jinja does not know them."""
    for tag in ("{%- generation -%}", "{%- endgeneration -%}"):
        template = template.replace(tag, "")
    return template


def _tensors(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    config = model.config
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue  # llama.cpp takes the embeddings when there is no output
        values = tensor.float().cpu().numpy()
        if name in _OUTER:
            yield _OUTER[name], values
            continue
        number, _, rest = name.removeprefix("model.layers.").partition(".")
        place = _BLOCK[rest.removesuffix(".weight")]
        yield f"blk.{number}.{place}.weight", for_rope(values, heads[place]) if place in heads else values
