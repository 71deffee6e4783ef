"""Files as an answer: the right ones are read after the sandbox's end, everything else is a sentence and no point."""

from __future__ import annotations

import json
import os
import socket
import struct
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.host import files, formats
from graders.host.engine import Engine
from graders.host.faults import Broken, Mistake
from graders.protocol import Job, Outcome, Verdict

FOLDER = Path(__file__).parent / "exercises" / "adapter"


@pytest.fixture(scope="module")
def grade(engine: Engine) -> Callable[[str], Verdict]:
    return lambda source: engine.grade(Job("adapter", source.encode()))


@pytest.fixture(scope="module")
def solution() -> str:
    return (FOLDER / "solution.py").read_text()


def after(solution: str, act: str) -> str:
    """The right solution that does something more when its files are written."""
    body = textwrap.indent(textwrap.dedent(act), "    ")
    return f"""{solution.replace("def train(", "def right(")}
import json, os, pathlib, socket, struct, time
folder = pathlib.Path("/tmp/answer/adapter")
weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
def train(model, x, y):
    right(model, x, y)
{body}
"""


@pytest.mark.slow
def test_the_right_adapter_is_read_and_earns_everything(grade: Callable[[str], Verdict], solution: str) -> None:
    verdict = grade(solution)
    assert (verdict.outcome, verdict.points) == (Outcome.PASSED, 3), verdict.message


@pytest.mark.slow
def test_writing_by_the_full_name_and_making_the_folder_anew_is_fine(
    grade: Callable[[str], Verdict], solution: str
) -> None:
    anew = 'import shutil\n    shutil.rmtree("/tmp/answer")\n    tuned.save_pretrained("/tmp/answer/adapter")'
    verdict = grade(solution.replace('tuned.save_pretrained("answer/adapter")', anew))
    assert verdict.outcome is Outcome.PASSED, verdict.message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("weights.unlink()", "answer/adapter/adapter_model.safetensors нет"),
        ("__import__('shutil').rmtree('/tmp/answer')", "answer/adapter/adapter_model.safetensors нет"),
        ("weights.rename('/tmp/w'); weights.symlink_to('/tmp/w')", "обычным файлом"),
        ("weights.unlink(); weights.symlink_to('/etc/passwd')", "обычным файлом"),
        ("folder.rename('/tmp/f'); folder.symlink_to('/tmp/f')", "обычным файлом в обычной папке"),
        ("os.rename('/tmp/answer', '/tmp/f'); os.symlink('/tmp/f', '/tmp/answer')", "в обычной папке"),
        ("weights.unlink(); os.mkfifo(weights)", "обычным файлом"),
        ("weights.unlink(); os.mkfifo(weights); os.fork() or os.open(weights, os.O_WRONLY)", "обычным файлом"),
        ("weights.unlink(); weights.mkdir()", "обычным файлом"),
        ("weights.unlink(); socket.socket(socket.AF_UNIX).bind(str(weights))", "обычным файлом"),
        ("pathlib.Path('/tmp/second').unlink(missing_ok=True); os.link(weights, '/tmp/second')", "жёсткая ссылка"),
        ("weights.write_bytes(bytes(3 << 20))", "слишком велик"),
        ("weights.write_bytes(bytes(100 << 20))", "с ошибкой"),
        ("os.truncate(weights, 1 << 40)", "File too large"),
        ("os.truncate(weights, 60 << 20)", "слишком велик"),
        ("os.truncate(weights, 1 << 20)", "длиннее"),
        ("weights.write_bytes(b'')", "Это не safetensors"),
        ("weights.write_bytes(b'x' * 100)", "Это не safetensors"),
        ("weights.write_bytes(b'PK\\x03\\x04' + bytes(100))", "Это не safetensors"),
        ("weights.write_bytes(struct.pack('<Q', 2**63) + b'{}')", "Это не safetensors"),
        ("weights.write_bytes(weights.read_bytes()[:-8])", "оборван"),
        ("weights.write_bytes(struct.pack('<Q', 10**6) + b'{\"a\":' * 200_000)", "глубоко"),
        ("t = b'{' + b'[' * 10**5; weights.write_bytes(struct.pack('<Q', len(t)) + t)", "глубоко"),
        ("config.write_text('{\"r\":' + '[' * 10**5 + ']' * 10**5 + '}')", "глубоко"),
        ("config.write_text('{\"r\": ' + '9' * 10**5 + '}')", "JSON не читается"),
        ("config.write_text('{\"r\": NaN}')", "JSON не читается"),
        ('config.write_text(\'{"r": 2, "r": 3}\')', "JSON не читается"),
        ("config.write_text('[2]')", "Нужен объект"),
        ("config.write_bytes(b'\\xff\\xfe{}')", "JSON не читается"),
        ("config.unlink(); config.symlink_to('/dev/zero')", "обычным файлом"),
        ("raise ValueError('сам')", "сам"),
        ("os._exit(0)", "завершила сама себя"),
    ],
    ids=lambda value: value[:50],
)
def test_anything_else_is_named_and_earns_nothing_for_it(
    grade: Callable[[str], Verdict], solution: str, act: str, said: str
) -> None:
    began = time.monotonic()
    verdict = grade(after(solution, act))
    assert time.monotonic() - began < 20
    assert verdict.points <= (1 if "config" not in act else 0), [c.message for c in verdict.checks]
    assert said in verdict.message
    assert verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL, Outcome.CRASHED}


@pytest.mark.slow
def test_nothing_is_alive_that_could_change_a_file_while_it_is_read(
    grade: Callable[[str], Verdict], solution: str
) -> None:
    writing = """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(config, "ab", buffering=0) as end:
                while True:
                    end.write(b" ")
    while config.stat().st_size < 3_000: pass
    """
    for _ in range(3):
        verdict = grade(after(solution, writing))
        assert verdict.outcome is not Outcome.INFRA_ERROR


@pytest.mark.slow
def test_permissions_taken_away_are_no_fault_of_ours(grade: Callable[[str], Verdict], solution: str) -> None:
    verdict = grade(after(solution, "os.chmod(weights, 0)\nos.chmod(folder, 0)"))
    assert verdict.outcome in {Outcome.PASSED, Outcome.FAILED}, "root reads it all the same"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "answer").mkdir()
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_only_a_plain_file_below_the_folder_is_read(scratch: int, tmp_path: Path) -> None:
    folder = tmp_path / "answer"
    (folder / "plain").write_bytes(b"abc")
    (folder / "inner").mkdir()
    (folder / "inner" / "plain").write_bytes(b"")
    assert files.read(scratch, "plain", 3) == b"abc"
    assert files.read(scratch, "inner/plain", 3) == b""
    os.mkfifo(folder / "fifo")
    (folder / "link").symlink_to("plain")
    (folder / "outside").symlink_to("/etc")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(folder / "socket"))
    bound.close()
    before = set(Path("/proc/self/fd").iterdir())
    for name in ("fifo", "link", "outside/passwd", "socket", "inner", "plain/x", "missing", "inner/missing"):
        with pytest.raises(Mistake):
            files.read(scratch, name, 3)
    with pytest.raises(Mistake, match="слишком велик"):
        files.read(scratch, "plain", 2)
    assert set(Path("/proc/self/fd").iterdir()) == before, "no descriptor is left open"


def test_files_are_read_once_after_the_end_and_only_if_somebody_looks(scratch: int, tmp_path: Path) -> None:
    (tmp_path / "answer" / "a").write_bytes(b"a")
    ended: list[int] = []

    def end() -> int:
        ended.append(1)
        return scratch

    found = files.Files(["a", "b"], 9, end)
    assert (list(found), len(found), ended) == (["a", "b"], 2, [])
    assert (found["a"], found["a"], ended) == (b"a", b"a", [1])
    with pytest.raises(Mistake, match="answer/b нет"):
        found["b"]
    with pytest.raises(Broken):
        found["c"]


def packed(header: Any, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.slow
class TestSafetensors:
    @pytest.mark.parametrize(
        "header",
        [
            {"a": entry(offsets=(0, 16))},
            {"a": entry(offsets=(8, 0))},
            {"a": entry(offsets=(-8, 0))},
            {"a": entry(offsets=(0,))},
            {"a": entry(offsets=(0, 8.0))},
            {"a": entry(offsets=(False, 8))},
            {"a": entry(offsets=(2**62, 2**62 + 8))},
            {"a": entry(shape=(2**32, 2**32))},
            {"a": entry(shape=(-1, -2))},
            {"a": entry(shape="2")},
            {"a": entry(shape=(1,) * 9, offsets=(0, 4)), "b": entry(shape=(1,), offsets=(4, 8))},
            {"a": entry(dtype="F31")},
            {"a": entry(dtype=["F32"])},
            {"a": {**entry(), "more": 1}},
            {"a": {"dtype": "F32"}},
            {"a": 5},
            {"a": entry(shape=(1,), offsets=(0, 4))},
            {"a": entry(), "b": entry()},
            {"a": entry(shape=(1,), offsets=(4, 8))},
            {"a": entry(), "__metadata__": {"x": 1}},
            {"a": entry(), "__metadata__": "x"},
            {f"t{n}": entry(shape=(0,), offsets=(0, 0)) for n in range(5_000)} | {"a": entry()},
            b'{"a":' + json.dumps(entry()).encode() + b',"a":' + json.dumps(entry()).encode() + b"}",
            b" {}",
            b"{",
            b'{"' + b'\\"' * 100_000 + b"\\",
        ],
        ids=lambda header: str(header)[:60],
    )
    def test_a_header_that_lies_is_refused(self, header: Any) -> None:
        began = time.monotonic()
        with pytest.raises(Mistake):
            formats.safetensors(packed(header, bytes(8)))
        assert time.monotonic() - began < 2

    @given(st.data())
    @settings(max_examples=40)
    def test_what_the_library_saves_is_read_as_it_reads_it(self, data: st.DataObject) -> None:
        import safetensors.torch
        import torch

        kinds = [getattr(torch, name) for name, _ in formats._KINDS.values()]
        shapes = st.lists(st.integers(0, 3), max_size=3)
        sent = {
            name: torch.randint(0, 2, shape).to(data.draw(st.sampled_from(kinds)))
            for name, shape in data.draw(st.dictionaries(st.text("abя.", min_size=1), shapes, max_size=4)).items()
        }
        packet = safetensors.torch.save(sent, data.draw(st.none() | st.just({"format": "pt"})))
        got = formats.safetensors(packet)
        assert got.keys() == sent.keys()
        for name, tensor in sent.items():
            assert (got[name].dtype, got[name].shape) == (tensor.dtype, tensor.shape)
            assert got[name].tolist() == tensor.tolist()

    @given(st.data())
    @settings(max_examples=300)
    def test_a_changed_byte_is_refused_or_means_the_same_to_the_library(self, data: st.DataObject) -> None:
        import safetensors.torch

        packet = bytearray(packed({"a": entry(), "b": entry("U8", (3,), (8, 11))}, bytes(range(11))))
        for _ in range(data.draw(st.integers(1, 3))):
            packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(
                st.sampled_from(b'0123456789{}[],":- FUab\xff')
            )
        try:
            got = formats.safetensors(bytes(packet))
        except Mistake:
            return
        library = safetensors.torch.load(bytes(packet))
        assert {name: tensor.tolist() for name, tensor in got.items()} == {
            name: tensor.tolist() for name, tensor in library.items()
        }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{",
        b'{"a": 1e999}',
        b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"a": [' + b"1," * 300_000 + b"1]}",
        b'{"a": "' + b" " * (2 << 20) + b'"}',
        b'"' * 500_001,
        b'{"' + b'\\"' * 400_000,
    ],
    ids=lambda data: data[:20].decode(),
)
def test_a_hostile_json_is_refused_in_little_time(data: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(Mistake):
        formats.json_object(data)
    assert time.monotonic() - began < 2


def test_marks_inside_strings_are_no_depth() -> None:
    assert formats.json_object(json.dumps({"a": "[" * 99, "я": '\\"{'}).encode()) == {"a": "[" * 99, "я": '\\"{'}
