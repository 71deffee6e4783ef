"""Which numbers are quantized: the model's, drawn, typed, from anybody's file; what is wrong ends in a sentence."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import settings
from demos.params import ParamsError
from demos.quantization import checkpoint, uploads, weights
from demos.quantization.checkpoint import CheckpointError
from demos.quantization.weights import Weights
from graders import aside


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


def file(header: object, body: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def one(name: str = "w", **changed: object) -> dict[str, object]:
    return {name: {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | changed}


def look(content: bytes) -> tuple[checkpoint.Entry, ...]:
    return checkpoint.read(checkpoint.head(content), len(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Файл пуст"),
        (pickle.dumps({"w": [1.0] * 40}), "pickle"),
        (b"PK\x03\x04" + b"0" * 100, "pickle"),
        (b"hello, this is text", "не файл safetensors"),
        (file(one(), b"\0" * 8), "обрывается посреди весов"),
        (file(one(), length=900), "обрывается на заголовке"),
        (file(one(), length=2**40), "больше 1 МиБ"),
        (file(b"{" + b"[" * 100_000), "скобок|не JSON"),
        (file(b'{"w": 1, "w": 2}'), "дважды"),
        (file(one(shape=[2, -2]), b"\0" * 16), "невозможная форма"),
        (file(one(shape=[3]), b"\0" * 16), "не сходятся"),
        (file(one(dtype="I8", shape=[16]), b"\0" * 16), "квантовать здесь нечего"),
        (file(one("<b>w</b>"), b"\0" * 16), "не похоже на имя слоя"),
        (file({"w": 3}), "нет типа"),
        (file({}), "квантовать здесь нечего"),
    ],
)
def test_what_is_no_file_of_weights_is_told_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        look(content)


def test_two_gigabytes_are_refused_by_their_size_alone() -> None:
    with pytest.raises(CheckpointError, match=r"2,0.ГБ.*36.МиБ"):
        checkpoint.read(file(one()), 2_000_000_000)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_end_in_tensors_or_in_a_sentence(content: bytes, framed: bool) -> None:
    told = "Прочитано."
    try:
        assert look(file(b"{" + content) if framed else content)
    except CheckpointError as problem:
        told = str(problem)
    assert told[0].isupper()


@pytest.mark.slow
def test_a_header_is_read_in_a_process_of_its_own() -> None:
    import base64

    content = file(one("model.w"), b"\0" * 16)
    asked = {"head": base64.b64encode(checkpoint.head(content)).decode(), "size": len(content)}
    assert aside.run("demos.quantization.checkpoint:told", asked) == {"tensors": [["model.w", [2, 2]]]}
    assert "пуст" in aside.run("demos.quantization.checkpoint:told", {"head": "", "size": 0})["fault"]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_numbers_of_a_file_are_those_that_were_saved(dtype: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    saved = {"b.weight": torch.randn(6, 8).to(getattr(torch, dtype)), "a.weight": torch.ones(3), "n": torch.arange(4)}
    save_file(saved, tmp_path / "w.safetensors")
    name = uploads.put((tmp_path / "w.safetensors").read_bytes())
    values, origin = weights.load(Weights(source="file", file=name, tensor="b.weight"))
    assert torch.equal(values, saved["b.weight"].flatten().float())
    assert (origin.title, origin.shape, origin.count, origin.synthetic) == ("b.weight", (6, 8), 48, False)
    assert {entry.name for entry in weights.entries(uploads.path(name))} == {"a.weight", "b.weight"}


@pytest.mark.slow
@pytest.mark.parametrize(("value", "words"), [("nan", "2 значения NaN"), ("-inf", "бесконечность"), ("0", "нули")])
def test_numbers_that_cannot_be_quantized_are_told(value: str, words: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    content = torch.zeros(8) if value == "0" else torch.tensor([1.0, float(value), 2.0, float(value)])
    save_file({"w": content}, tmp_path / "w.safetensors")
    params = Weights(source="file", file=uploads.put((tmp_path / "w.safetensors").read_bytes()))
    with pytest.raises(ParamsError, match=words.replace(" ", ".")):
        weights.load(params)


def test_a_file_that_is_gone_and_none_at_all() -> None:
    with pytest.raises(ParamsError, match="загрузите его ещё раз"):
        weights.load(Weights(source="file", file="0" * 64))
    with pytest.raises(ParamsError, match="загрузите его ещё раз"):
        weights.load(Weights(source="file", file="../../etc/passwd"))
    with pytest.raises(ParamsError, match="Загрузите файл"):
        weights.load(Weights(source="file"))


def test_old_files_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST", 2)
    names = [uploads.put(bytes([number])) for number in range(4)]
    assert [name for name in names if (uploads._root() / name).is_file()] == names[2:]


@pytest.mark.slow
def test_the_models_tensors_are_the_models() -> None:
    import torch
    from safetensors.torch import load_file

    saved = load_file(settings.ROOT / "content" / "model" / "model.safetensors")
    assert {entry.name for entry in weights.model_tensors()} == set(saved)
    values, origin = weights.load(Weights(tensor="model.layers.0.self_attn.q_proj.weight"))
    assert torch.equal(values, saved["model.layers.0.self_attn.q_proj.weight"].flatten().float())
    assert origin.shape == (192, 192)
    with pytest.raises(ParamsError, match="ближайшее"):
        weights.load(Weights(tensor="model.layers.0.self_attn.qproj.weight"))


@pytest.mark.slow
def test_drawn_numbers_are_what_they_are_called() -> None:
    def load(source: Any, **more: Any) -> Any:
        return weights.load(Weights(source=source, count=2**18, **more))

    normal, heavy, planted = load("normal"), load("heavy"), load("outliers", outliers=7, sigmas=40)
    assert all(origin.synthetic for _, origin in (normal, heavy, planted))
    assert normal[1].peak < 6 < heavy[1].peak
    assert int((planted[0].abs() == 40).sum()) == 7
    with pytest.raises(ParamsError, match="больше, чем чисел"):
        weights.load(Weights(source="outliers", count=64, outliers=65))


def test_numbers_as_people_type_them() -> None:
    assert weights.parse("0,5 -1.25; 3\n2e-3, 7") == (0.5, -1.25, 3, 0.002, 7)
    for text, words in (("", "хотя бы одно"), ("1 nan", "«nan»"), ("inf", "«inf»"), ("1,2,3", "1,2,3"), ("<b>", "<b>")):
        with pytest.raises(ParamsError, match=words):
            weights.parse(text)


@pytest.mark.slow
@pytest.mark.parametrize("own", ["1e200", "1e-200", "0 0"])
def test_absurd_sizes_are_told(own: str) -> None:
    with pytest.raises(ParamsError):
        weights.load(Weights(source="own", own=own))
