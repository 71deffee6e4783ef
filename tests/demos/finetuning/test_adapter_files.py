"""Opening an adapter's file: what a good one tells, and what every bad one is told, in one Russian sentence."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import settings
from demos.finetuning.adapters import container, files, store
from demos.finetuning.adapters.container import AdapterError
from tests.demos.finetuning.adapter_parts import LAYER, config, lora, pack, sealed

GOOD = lora()
A = f"{LAYER}.lora_A.weight"


def without(name: str) -> dict[str, np.ndarray]:
    return {key: values for key, values in GOOD.items() if key != name}


def spoilt(value: float) -> dict[str, np.ndarray]:
    values = GOOD[A].copy()
    values[0, 0] = value
    return {**GOOD, A: values}


def header(**said: Any) -> bytes:
    return sealed(
        json.dumps({A: {"dtype": "F32", "shape": [4, 192], "data_offsets": [0, 3072]} | said}).encode(), b"\0" * 3072
    )


def test_a_good_file_is_described_to_the_byte() -> None:
    weights, said = pack(GOOD, __metadata__={"format": "pt"}), config()
    told = files.describe(files.open_adapter(said, weights))
    assert (told.method, told.rank, told.alpha, told.scale) == ("LoRA", 4, 8.0, 2.0)
    assert told.parameters == 2 * 4 * (4 * 192 + 192 * 4) == sum(piece.parameters for piece in told.pieces)
    assert told.weights_bytes == len(weights) == told.header_bytes + sum(piece.bytes for piece in told.pieces)
    assert told.config_bytes == len(said)
    assert [(kind.name, kind.layers, kind.bytes) for kind in told.kinds] == [("q_proj", 4, 24576), ("v_proj", 4, 24576)]
    first = told.pieces[0]
    assert (first.layer, first.part, first.shape) == ("model.layers.0.self_attn.q_proj", "lora_A", (4, 192))
    assert first.norm == pytest.approx(float(np.linalg.norm(GOOD[A])))


def test_the_size_of_the_update_is_that_of_the_product() -> None:
    told = files.describe(files.open_adapter(config(), pack(GOOD)))
    content = (files.base_model.FOLDER / "model.safetensors").read_bytes()
    stored = {one.name: one for one in container.read(content)}
    sizes = []
    for number in range(4):
        layer = f"model.layers.{number}.self_attn.q_proj"
        a, b = (GOOD[f"base_model.model.{layer}.lora_{letter}.weight"] for letter in "AB")
        weight = files.array(content, stored[f"{layer}.weight"])
        sizes.append(np.linalg.norm(2.0 * b @ a) / np.linalg.norm(weight))
    assert told.kinds[0].update == pytest.approx(np.mean(sizes), rel=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_numbers_of_sixteen_bits_are_read_as_they_are(dtype: str) -> None:
    halves = {name: values.astype("<f2") for name, values in GOOD.items()}
    if dtype == "bfloat16":
        halves = {name: (values.view("<u4") >> 16).astype("<u2") for name, values in GOOD.items()}
    told = files.describe(files.open_adapter(config(), pack(halves)))
    assert {piece.dtype for piece in told.pieces} == {dtype}
    assert told.pieces[0].norm == pytest.approx(float(np.linalg.norm(GOOD[A])), rel=0.01)


BAD_WEIGHTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "не файл safetensors"),
    "text": (lambda: b"hello, I am an adapter", "не файл safetensors"),
    "pickle": (lambda: pickle.dumps({"a": 1}), "pickle"),
    "torch zip": (lambda: b"PK\x03\x04" + b"\0" * 100, "pickle"),
    "header longer than the file": (lambda: sealed(b"{}", length=10**5), "обрывается на заголовке"),
    "huge header": (lambda: sealed(b"{" + b" " * 100, length=2**62), "больше 1 МиБ"),
    "header is no JSON": (lambda: sealed(b"{'a': 1}"), "не JSON"),
    "header is not UTF-8": (lambda: sealed(b'{"\xff\xfe": 1}'), "UTF-8"),
    "deep JSON": (lambda: sealed(b'{"a":' + b"[" * 100_000), "вложенных"),
    "long number": (lambda: sealed(b'{"a":' + b"9" * 10_000 + b"}"), "не JSON"),
    "NaN in the header": (lambda: sealed(b'{"a": NaN}'), "не JSON"),
    "no tensors": (lambda: sealed(b'{"__metadata__": {}}'), "ни одного тензора"),
    "a name twice": (lambda: sealed(b'{"a": {}, "a": {}}'), "дважды"),
    "too many tensors": (lambda: sealed(json.dumps({str(n): 1 for n in range(3000)}).encode()), "не бывает больше"),
    "too large": (lambda: b"\0" * (12 * 2**20 + 1), "больше 12 МиБ"),
    "a tensor without a shape": (lambda: sealed(b'{"a": {"dtype": "F32"}}'), "нет типа"),
    "a tensor that is a number": (lambda: sealed(b'{"a": 1}'), "нет типа"),
    "float64": (lambda: pack({A: np.zeros((4, 192))}), "тип F64"),
    "integers": (lambda: header(dtype="I8"), "тип I8"),
    "a type that is a list": (lambda: header(dtype=["F32"]), "тип"),
    "negative shape": (lambda: header(shape=[-4, -192]), "невозможная форма"),
    "shape of words": (lambda: header(shape=["4", 192]), "невозможная форма"),
    "a truth as a size": (lambda: header(shape=[True, 768]), "невозможная форма"),
    "offsets do not fit": (lambda: header(data_offsets=[0, 3071]), "не сходятся"),
    "starts later": (lambda: header(data_offsets=[4, 3076]), "не на своём месте"),
    "negative start": (lambda: header(data_offsets=[-3072, 0]), "невозможная форма"),
    "cut off": (lambda: pack(GOOD)[:-100], "посреди весов"),
    "something behind": (lambda: pack(GOOD) + b"#!/bin/sh", "лишние данные"),
    "NaN": (lambda: pack(spoilt(float("nan"))), "NaN"),
    "infinity": (lambda: pack(spoilt(float("inf"))), "бесконечность"),
    "a layer is missing": (lambda: pack(without(A)), "нет тензора layers.0.self_attn.q_proj.lora_A"),
    "a foreign tensor": (lambda: pack({**GOOD, "lm_head.weight": np.zeros((2, 2), "<f4")}), "нет места"),
    "another rank": (lambda: pack(lora(8)), "форма 8 × 192, а базе и описанию подходит 4 × 192"),
    "another base": (lambda: pack({**GOOD, A: np.zeros((4, 4096), "<f4")}), "от другой модели"),
    "a whole weight": (lambda: pack({**GOOD, f"{LAYER}.weight": np.zeros((192, 192), "<f4")}), "нет места"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights_are_told_in_one_sentence(name: str) -> None:
    make, words = BAD_WEIGHTS[name]
    told = refusal(config(), make())
    assert words in told
    assert len(told) < 400


BAD_CONFIGS: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{", "не JSON"),
    "a list": (b"[]", "объект JSON"),
    "not UTF-8": ("{}".encode("utf-16"), "UTF-8"),
    "deep": (b"[" * 100_000, "вложенных"),
    "huge": (b" " * 300_000, "КиБ"),
    "another method": (config(peft_type="OFT"), "метод «OFT» здесь не открыть"),
    "no method": (config(peft_type=...), "метод «None»"),
    "a method that is a list": (config(peft_type=["LORA"]), "метод"),
    "a class of one's own": (config(auto_mapping={"base_model_class": "X", "parent_library": "evil"}), "auto_mapping"),
    "an unknown field": (config(run_on_load="rm -rf /"), "run_on_load"),
    "whole layers": (config(modules_to_save=["lm_head"]), "modules_to_save"),
    "biases": (config(bias="all"), "bias"),
    "layers chosen": (config(layers_to_transform=[0]), "layers_to_transform"),
    "a pattern": (config(target_modules="(a+)+$"), "строка-шаблон"),
    "a pattern in the list": (config(target_modules=["(a+)+$"]), "список имён"),
    "no targets": (config(target_modules=[]), "в базовой модели курса нет"),
    "targets missing": (config(target_modules=...), "нет поля «target_modules»"),
    "another model's layers": (config(target_modules=["c_attn"]), "слоя «c_attn» в базовой модели курса нет"),
    "rank 0": (config(r=0), "целое от 1"),
    "rank in words": (config(r="4"), "целое от 1"),
    "rank above the matrix": (config(r=193), "больше матрицы"),
    "rank of a layer": (config(rank_pattern={"q_proj": 8}), "подходит 8 × 192"),
    "alpha": (config(lora_alpha=0), "больше 0"),
    "alpha is no number": (config(lora_alpha="NaN"), "больше 0"),
    "a flag in words": (config(use_dora="да"), "true или false"),
    "a start that moves the base": (config(init_lora_weights="loftq"), "loftq"),
    "DoRA without its lengths": (config(use_dora=True), "lora_magnitude_vector"),
    "VeRA's config": (config(peft_type="VERA"), "поле «lora_alpha»"),
    "virtual tokens without a number": (config(peft_type="PROMPT_TUNING"), "num_virtual_tokens"),
}


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_bad_configs_are_told_in_one_sentence(name: str) -> None:
    content, words = BAD_CONFIGS[name]
    told = refusal(content, pack(GOOD))
    assert words in told
    assert len(told) < 400


def refusal(said: bytes, weights: bytes) -> str:
    with pytest.raises(AdapterError) as caught:
        files.open_adapter(said, weights)
    assert str(settings.ROOT) not in str(caught.value)
    return str(caught.value)


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
def test_a_file_with_any_bytes_changed_is_opened_or_refused_in_words(data: st.DataObject) -> None:
    whole = pack(GOOD)
    edge = 8 + int.from_bytes(whole[:8], "little")
    spot = data.draw(st.integers(0, edge))
    spoilt = whole[:spot] + data.draw(st.binary(min_size=1, max_size=8)) + whole[spot + data.draw(st.integers(0, 8)) :]
    try:
        told, parameters = "", files.describe(files.open_adapter(config(), spoilt)).parameters
    except AdapterError as refused:
        told, parameters = str(refused), 0
    assert bool(told) != bool(parameters)
    assert not told or re.search("[а-яё]", told)
    assert str(settings.ROOT) not in told


def test_the_place_of_the_base_is_not_followed() -> None:
    opened = files.open_adapter(config(base_model_name_or_path="https://evil.example/../../etc"), pack(GOOD))
    assert "base_model_name_or_path" not in opened.config.fields


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(settings, "current", settings.load)
    return tmp_path / "adapters"


def archive(**entries: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return made.getvalue()


def test_the_same_files_are_kept_once_and_old_ones_go(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST", 3)
    named = {files.CONFIG: config(), files.WEIGHTS: pack(GOOD), "README.md": b"#"}
    first = store.put(named)
    assert store.put(named) == first
    assert store.adapter(first).config.rank == 4
    assert sorted(path.name for path in (kept / first).iterdir()) == [files.CONFIG, files.WEIGHTS]
    later = [store.put({files.CONFIG: config(), files.WEIGHTS: bytes([number])}) for number in range(3)]
    assert {path.name for path in kept.iterdir()} == set(later)
    with pytest.raises(AdapterError, match="больше нет под рукой"):
        store.adapter(first)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "0" * 64, "A" * 64])
def test_only_kept_names_lead_anywhere(kept: Path, name: str) -> None:
    kept.mkdir(parents=True)
    with pytest.raises(AdapterError):
        store.folder(name)


def test_a_zip_is_read_wherever_the_files_lie_in_it(kept: Path) -> None:
    inside = {f"run/{files.CONFIG}": config(), f"run/{files.WEIGHTS}": pack(GOOD), "../../evil.py": b"1"}
    name = store.put({store.ARCHIVE: archive(**inside)})
    assert store.adapter(name).config.rank == 4
    assert [path.name for path in (kept / name).iterdir()] == [store.ARCHIVE]


BOMB = archive(**{files.CONFIG: config(), files.WEIGHTS: b"\0" * (14 * 2**20)})
BAD_ARCHIVES = {
    "no zip": (b"PK no", "повреждён"),
    "cut off": (archive(**{files.CONFIG: config()})[:-30], "повреждён"),
    "a bomb": (BOMB, "в архиве больше 12 МиБ"),
    "half of it": (archive(**{files.CONFIG: config()}), "Не хватает файла adapter_model"),
    "two": (archive(**{f"a/{files.CONFIG}": config(), f"b/{files.CONFIG}": config()}), "два файла"),
    "pickled": (archive(**{files.CONFIG: config(), "adapter_model.bin": b"\x80"}), "Не хватает файла adapter_model"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_bad_archives_are_told_in_one_sentence(kept: Path, name: str) -> None:
    content, words = BAD_ARCHIVES[name]
    with pytest.raises(AdapterError, match=words):
        store.adapter(store.put({store.ARCHIVE: content}))


def test_nothing_of_torch_is_loaded_to_read_a_file() -> None:
    import subprocess

    code = (
        "import sys; from tests.demos.finetuning.adapter_parts import *\n"
        "files.describe(files.open_adapter(config(), pack(lora())))\n"
        "import demos.finetuning.adapters.store, demos.finetuning.adapters.merging, demos.finetuning.adapters.export\n"
        "import demos.finetuning.adapters.answering, demos.finetuning.adapters.routing\n"
        "print(sorted(sys.modules.keys() & {'torch', 'transformers', 'peft', 'gguf', 'bitsandbytes', 'datasets'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
