"""Whatever a folder or an id says, a run gets a safe base that fits the memory, or one sentence in Russian."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demos.finetuning import base_model, sources
from demos.finetuning.devices import Device, choose_dtype, free_memory
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError
from settings import ROOT, Settings
from tests.demos.finetuning import folders, hub
from tests.demos.finetuning.foreign import change

CPU = Device("cpu", "процессор", 8 * 10**9)
T4 = Device("cuda", "Tesla T4", 15 * 10**9, (7, 5))
A100 = Device("cuda", "NVIDIA A100", 80 * 10**9, (8, 0))
FULL = {"method": "full", "quantization": "none"}


def resolve(models: Path, base: str, device: Device = CPU, **fields: Any) -> sources.Source:
    return sources.resolve(RunSpec(base=base, **fields), Settings(models_dir=models), device)


def refusal(models: Path, base: str, device: Device = CPU, **fields: Any) -> str:
    with pytest.raises(ParamsError) as refused:
        resolve(models, base, device, **fields)
    text = str(refused.value)
    assert re.search("[а-яё]", text)
    assert str(models) not in text
    assert text.endswith((".", ")."))
    return text


def test_a_folder_by_name(tmp_path: Path) -> None:
    folders.write(tmp_path / "tiny")
    found = resolve(tmp_path, "tiny")
    assert found.place == tmp_path / "tiny"
    assert found.described.dtype == "bfloat16"
    assert found.need.total > found.need.weights > 0
    assert sources.folders(Settings(models_dir=tmp_path)) == ("tiny",)


def test_the_bundled_model_is_read_the_same_way(tmp_path: Path) -> None:
    found = resolve(tmp_path, "course")
    assert found.title == "мини-переводчик"
    assert found.described.architecture.base > 2_000_000
    assert found.place == base_model.FOLDER


@pytest.mark.parametrize(
    "base",
    [
        "../tiny",
        "/etc",
        "a/../b",
        "..",
        ".hidden",
        "a/b/c",
        "имя",
        "tiny/",
        "",
        "a\x00b",
        "https://example.org/m",
        "a" * 200,
    ],
)
def test_names_that_lead_elsewhere(base: str, tmp_path: Path) -> None:
    folders.write(tmp_path / "models" / "tiny")
    folders.write(tmp_path / "tiny")
    text = refusal(tmp_path / "models", base)
    assert "не имя модели" in text or "автор/модель" in text or "выключены" in text


def test_a_missing_folder_names_the_nearest(tmp_path: Path) -> None:
    folders.write(tmp_path / "mistral-tiny")
    assert "mistral-tiny" in refusal(tmp_path, "mistral-tinny")
    assert "COURSE_MODELS_DIR" in refusal(tmp_path / "nowhere", "any")


def test_links_out_of_the_folder(tmp_path: Path) -> None:
    outside = folders.write(tmp_path / "outside")
    models = tmp_path / "models"
    models.mkdir()
    (models / "linked").symlink_to(outside)
    assert "ссылки" in refusal(models, "linked")
    inner = folders.write(models / "inner")
    (inner / "model.safetensors").unlink()
    (inner / "model.safetensors").symlink_to(outside / "model.safetensors")
    assert "ссылки" in refusal(models, "inner")


Spoil = Callable[[Path], object]


def _pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _index(folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": name}}))


def _short(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(5000)


def _header(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)


def _drop(folder: Path) -> None:
    from demos.finetuning.configuration import read_config

    shapes = folders.shapes(read_config(folders.TINY, "x"))
    shapes.pop("model.layers.1.mlp.up_proj.weight")
    folders.weights(folder / "model.safetensors", shapes)


def _config(**fields: object) -> Spoil:
    return lambda folder: change(folder / "config.json", **fields)


HOSTILE: dict[str, tuple[Spoil, str]] = {
    "pickle": (_pickle, "pickle"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "весов в ней нет"),
    "auto_map": (_config(auto_map={"AutoModel": "modeling.Evil"}), "auto_map"),
    "tokenizer's auto_map": (
        lambda folder: change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["x.Evil", None]}),
        "auto_map",
    ),
    "unknown architecture": (_config(model_type="lama"), "ближайшее — «llama»"),
    "no architecture": (_config(model_type=None), "незнакома"),
    "architecture is no name": (_config(model_type=["llama"]), "незнакома"),
    "a classifier": (_config(architectures=["LlamaForSequenceClassification"]), "не языковая"),
    "quantized already": (_config(quantization_config={"quant_method": "gptq"}), "уже квантована"),
    "biases": (_config(attention_bias=True), "attention_bias"),
    "huge vocabulary": (_config(vocab_size=10**12), "vocab_size"),
    "a vocabulary that is not there": (_config(vocab_size=2_000_000), "не те, что обещает"),
    "huge layers": (_config(num_hidden_layers=10**6), "num_hidden_layers"),
    "more layers than there are": (_config(num_hidden_layers=3), "его нет"),
    "fewer layers than there are": (_config(num_hidden_layers=1), "параметров"),
    "negative": (_config(hidden_size=-64), "hidden_size"),
    "text for a number": (_config(hidden_size="64"), "hidden_size"),
    "true for a number": (_config(num_attention_heads=True), "num_attention_heads"),
    "nothing for a number": (_config(intermediate_size=None), "intermediate_size"),
    "heads do not divide": (_config(num_key_value_heads=3), "не складываются"),
    "config is no JSON": (lambda folder: (folder / "config.json").write_text("{"), "не JSON"),
    "config is a list": (lambda folder: (folder / "config.json").write_text("[]"), "не объект"),
    "config is deep": (lambda folder: (folder / "config.json").write_text("[" * 200_000), "не JSON"),
    "config is huge": (lambda folder: (folder / "config.json").write_text(" " * (9 << 20)), "слишком велик"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "нет файла config.json"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "токенизатор"),
    "tokenizer is no JSON": (lambda folder: (folder / "tokenizer.json").write_text("?"), "tokenizer.json"),
    "index leads out": (lambda folder: _index(folder, "../../secret.safetensors"), "нет части весов"),
    "index names a pickle": (lambda folder: _index(folder, "model.bin"), "нет части весов"),
    "weights cut short": (_short, "не safetensors"),
    "weights are empty": (lambda folder: _header(folder, b""), "не safetensors"),
    "header of 2^63 bytes": (lambda folder: _header(folder, b"\xff" * 7 + b"\x7f" + b"{}"), "не safetensors"),
    "header is no object": (lambda folder: _header(folder, (2).to_bytes(8, "little") + b"[]"), "не объект"),
    "header without shapes": (
        lambda folder: _header(folder, (8).to_bytes(8, "little") + b'{"a":{}}'),
        "не safetensors",
    ),
    "a layer is missing": (_drop, "up_proj"),
    "weights are 8-bit": (
        lambda folder: folders.weights(folder / "model.safetensors", {"lm_head.weight": (4, 4)}, "F8_E4M3", 1),
        "F8_E4M3",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_folders(name: str, tmp_path: Path) -> None:
    spoil, part = HOSTILE[name]
    spoil(folders.write(tmp_path / "tiny"))
    assert part in refusal(tmp_path, "tiny")


def test_a_large_model_is_refused_with_numbers_and_a_way_out(tmp_path: Path) -> None:
    folders.write(tmp_path / "mistral", folders.MISTRAL)
    text = refusal(tmp_path, "mistral", T4, **FULL).replace("\u00a0", " ")
    assert "Не поместится" in text
    assert "Tesla T4" in text
    assert "свободно 15,0 ГБ" in text
    assert "веса 29,0 ГБ" in text  # trained in float32: a T4 has no bfloat16
    assert "QLoRA" in text.rpartition(")")[0]
    assert resolve(tmp_path, "mistral", T4, quantization="nf4", batch=1, checkpointing=True).need.total < 9 * 10**9
    assert "по одному примеру" in refusal(tmp_path, "mistral", Device("cuda", "карта", 12 * 10**9, (8, 6)), batch=64)
    assert "модель поменьше" in refusal(tmp_path, "mistral", Device("cpu", "процессор", 2 * 10**9))


def test_dtype_by_device() -> None:
    assert choose_dtype(CPU) == "float32"
    assert choose_dtype(T4) == "float16"
    assert choose_dtype(A100) == "bfloat16"
    assert choose_dtype(A100, "float32") == "float32"
    assert choose_dtype(CPU, "bfloat16") == "bfloat16"
    with pytest.raises(ParamsError, match="Tesla T4 не умеет bfloat16"):
        choose_dtype(T4, "bfloat16")


def test_free_memory_is_that_of_this_machine() -> None:
    assert 10**8 < free_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_hub_model_needs_the_operators_word(tmp_path: Path) -> None:
    assert "COURSE_HUB_MODELS=1" in refusal(tmp_path, "org/model")
    assert not list(tmp_path.iterdir())


def test_a_hub_model_that_was_downloaded_is_a_folder(tmp_path: Path) -> None:
    folders.write(tmp_path / "org--model")
    assert resolve(tmp_path, "org/model").place == tmp_path / "org--model"


def offline(models: Path, endpoint: str, base: str = "org/model") -> str:
    """What ``resolve`` says in a process of its own with this hub; the folder, or the refusal."""
    script = (
        "import sys; from pathlib import Path\n"
        "from demos.finetuning import sources; from demos.finetuning.devices import Device\n"
        "from demos.finetuning.spec import RunSpec; from demos.params import ParamsError\n"
        "from settings import Settings\n"
        "here = Device('cpu', 'процессор', 8 * 10**9)\n"
        "where = Settings(models_dir=Path(sys.argv[1]), hub_models=True)\n"
        "try: print(sources.resolve(RunSpec(base=sys.argv[2]), where, here).place.name)\n"
        "except ParamsError as error: print('refused:', error)\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(models / ".hf"), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", script, str(models), base]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_without_a_network_one_sentence(tmp_path: Path) -> None:
    said = offline(tmp_path, "http://127.0.0.1:9")
    assert said.startswith("refused: Не удалось скачать модель «org/model»")
    assert "\n" not in said
    assert [path.name for path in tmp_path.iterdir() if path.name != ".hf"] == []


@pytest.mark.slow
def test_a_hub_model_is_downloaded_once_and_only_what_is_needed(tmp_path: Path) -> None:
    there = folders.write(tmp_path / "there")
    for extra in ("pytorch_model.bin", "modeling_evil.py", "README.md"):
        (there / extra).write_text("print('evil')")
    models = tmp_path / "models"
    with hub.serving(there, "org/model") as (endpoint, fetched):
        assert offline(models, endpoint) == "org--model"
        assert sorted(fetched) == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
        assert offline(models, endpoint) == "org--model"
        assert len(fetched) == 4
        assert "нет модели «org/other»" in offline(models, endpoint, "org/other")
    assert sorted(path.name for path in (models / "org--model").iterdir()) == sorted(fetched)
    assert [path.name for path in models.iterdir() if path.name != ".hf"] == ["org--model"]


@pytest.mark.slow
def test_weights_that_would_not_fit_are_not_downloaded(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "config.json").write_text(json.dumps(folders.MISTRAL))
    with hub.serving(there, "org/model") as (endpoint, fetched):
        said = offline(tmp_path / "models", endpoint)
    assert said.startswith("refused: Не поместится")
    assert fetched == ["config.json"]
