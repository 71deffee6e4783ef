"""What a learner takes along: safetensors that transformers opens, a GGUF that llama.cpp itself answers from."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import settings
from demos import registry
from demos.finetuning import base_model
from demos.finetuning.adapters import export, files, gguf_file, library, merging, store
from demos.finetuning.quantized import Base, open_base
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from scripts import check_gguf
from tests.demos.finetuning.adapter_parts import ALL, adapter, config, lora, pack

pytestmark = pytest.mark.slow

PLAIN = RunSpec(quantization="none")


@pytest.fixture(scope="module")
def merged() -> Base:
    return merging.merged(adapter(8, seed=1), PLAIN)


@pytest.fixture(scope="module")
def reader(merged: Base, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import gguf

    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    gguf_file.write(merged, path, name="проверка")
    return gguf.GGUFReader(path)


def test_the_gguf_says_what_llama_cpp_has_to_know(reader: Any, merged: Base) -> None:
    said = {name: field.contents() for name, field in reader.fields.items()}
    config = merged.model.config
    assert said["general.architecture"] == "llama"
    assert said["llama.block_count"] == config.num_hidden_layers
    assert said["llama.embedding_length"] == config.hidden_size
    assert said["llama.attention.head_count"] == config.num_attention_heads
    assert said["llama.rope.dimension_count"] == config.head_dim
    assert said["llama.context_length"] == 512
    assert (said["tokenizer.ggml.model"], said["tokenizer.ggml.pre"]) == ("gpt2", "qwen2")
    assert said["tokenizer.ggml.eos_token_id"] == merged.tokenizer.convert_tokens_to_ids("<|end|>")
    assert said["tokenizer.ggml.padding_token_id"] == merged.tokenizer.pad_token_id
    assert said["tokenizer.ggml.add_bos_token"] is False
    tokens = said["tokenizer.ggml.tokens"]
    assert tokens == merged.tokenizer.convert_ids_to_tokens(list(range(2048)))
    control = [token for token, kind in zip(tokens, said["tokenizer.ggml.token_type"], strict=True) if kind == 3]
    assert set(control) == set(base_model.SPECIAL)
    assert len(said["tokenizer.ggml.merges"]) == 2048 - 256 - len(base_model.SPECIAL)


def test_the_chat_template_in_it_renders_the_same_text(reader: Any, merged: Base) -> None:
    from jinja2 import Environment

    template = reader.fields["tokenizer.chat_template"].contents()
    assert "generation" not in template.replace("add_generation_prompt", "")
    chat = [{"role": "system", "content": "отвечай кратко."}, {"role": "user", "content": "сложи: 1 и 2"}]
    told = Environment(autoescape=False).from_string(template).render(messages=chat, add_generation_prompt=True)  # noqa: S701
    assert told == merged.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)


def test_its_tensors_are_the_models_with_heads_turned_for_llama_cpp(reader: Any, merged: Base) -> None:
    stored = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    weights = {name: tensor.numpy() for name, tensor in merged.model.state_dict().items()}
    assert "output.weight" not in stored  # tied to the embeddings
    assert len(stored) == len(weights) - 1
    assert (stored["token_embd.weight"] == weights["model.embed_tokens.weight"]).all()
    assert (stored["blk.2.ffn_down.weight"] == weights["model.layers.2.mlp.down_proj.weight"]).all()
    query = weights["model.layers.1.self_attn.q_proj.weight"]  # (heads · 32, 192)
    turned = stored["blk.1.attn_q.weight"]
    assert not (turned == query).all()
    head = query[32:64]  # the second one: its halves take turns
    assert (turned[32:64:2] == head[:16]).all()
    assert (turned[33:64:2] == head[16:]).all()


@pytest.mark.parametrize(("kind", "error"), [("f16", 1e-3), ("q8_0", 1e-2)])
def test_smaller_types_are_near_and_vectors_stay_exact(merged: Base, tmp_path: Path, kind: Any, error: float) -> None:
    import gguf

    path = tmp_path / "model.gguf"
    gguf_file.write(merged, path, file_type=kind)
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    weights = merged.model.state_dict()
    wanted = weights["model.layers.0.mlp.up_proj.weight"].numpy()
    tensor = stored["blk.0.ffn_up.weight"]
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    assert 0 < np.abs(values - wanted).max() / np.abs(wanted).max() < error
    assert (stored["output_norm.weight"].data == weights["model.norm.weight"].numpy()).all()
    assert path.stat().st_size < 4.8e6


@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="llama.cpp itself comes with requirements-test.txt"
)
@pytest.mark.parametrize(("kind", "least"), [("f32", 50), ("q8_0", 45)])
def test_llama_cpp_answers_as_transformers_does_and_obeys_the_stop_token(tmp_path: Path, kind: str, least: int) -> None:
    packed = tmp_path / "adapter.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(files.CONFIG, config(target_modules=list(ALL)))
        archive.writestr(files.WEIGHTS, pack(lora(4, ALL, seed=3)))
    check_gguf.prepare(tmp_path / "model", packed, kind)
    done = subprocess.run(
        [sys.executable, "scripts/check_gguf.py", "compare", str(tmp_path / "model")],
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    counts = json.loads(done.stdout.splitlines()[0])
    assert counts["of"] == check_gguf.COUNT == 50
    assert counts["equal"] >= least
    assert counts["equal_chats"] >= least
    assert counts["stopped"] >= least
    assert (done.returncode == 0) == all(count == 50 for count in counts.values())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    settings.current.cache_clear()
    yield store.put({files.CONFIG: config(target_modules=list(ALL)), files.WEIGHTS: pack(lora(4, ALL, seed=3))})
    settings.current.cache_clear()


def test_the_merged_folder_opens_in_transformers_with_its_tokenizer(kept: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    asked = {"adapter": kept, "form": "safetensors", "quantization": "nf4"}
    made = registry.call("finetuning.adapters.export", asked)
    assert made.problem == ""
    with zipfile.ZipFile(made.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".bin", ".pt", ".pkl"))]
        archive.extractall(tmp_path / "taken")
    folder = tmp_path / "taken" / "merged"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    spec, prompts = RunSpec(quantization="nf4"), merging.requests("").prompts
    wanted = library.Shelf(open_base(spec), {"it": store.adapter(kept)}).logits("it", prompts)
    assert (library.logits(model, Base(model, tokenizer, "cpu", model.dtype), prompts) - wanted).abs().max() < 1e-3


def test_an_export_is_made_once(kept: str) -> None:
    first = registry.call("finetuning.adapters.export", {"adapter": kept, "form": "gguf-q8_0"})
    written = Path(first.path).stat().st_mtime_ns
    assert first.bytes == Path(first.path).stat().st_size
    again = registry.call("finetuning.adapters.export", {"adapter": kept, "form": "gguf-q8_0"})
    assert again == first
    assert Path(again.path).stat().st_mtime_ns == written


def test_the_modelfile_renders_a_chat_as_our_template_does() -> None:
    text = export.modelfile("model.gguf")
    assert text.startswith("FROM ./model.gguf\n")
    assert 'PARAMETER stop "<|end|>"' in text
    template = text.partition('TEMPLATE """')[2].partition('"""')[0]
    loop, _, rest = template.removeprefix("{{- range .Messages }}").partition("{{- end }}")
    chat = (Message("system", "кратко"), Message("user", "сложи: 1 и 2"))
    turns = (loop.replace("{{ .Role }}", one.role).replace("{{ .Content }}", one.content) for one in chat)
    assert "".join(turns) + rest == base_model.render(chat)
