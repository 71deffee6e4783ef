"""What a submission prints: both ends kept, the middle counted, nothing that could act on a terminal or a page."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from graders.host.output import KEPT, MOST, Output, clean


@pytest.fixture
def output() -> Iterator[Output]:
    made = Output()
    yield made
    made.close()


def test_a_short_text_is_kept_whole(output: Output) -> None:
    os.write(output.writing, "привет\n".encode())
    output.drain()
    assert output.take() == "привет\n"


def test_parts_are_told_apart(output: Output) -> None:
    for part in ("раз", "два", ""):
        os.write(output.writing, part.encode())
        output.drain()
        assert output.take() == part


def test_a_long_text_keeps_both_ends_and_says_what_is_lost(output: Output) -> None:
    sent = 0
    for number in range(40):
        sent += os.write(output.writing, f"<{number}>".encode() + b"." * 5_000)
        output.drain()
    text = output.take().replace("\u00a0", " ")
    assert text.startswith("<0>")
    assert "<39>" in text
    assert "<20>" not in text
    assert f"… пропущено {sent / 1024 - 64:.1f} КиБ …".replace(".", ",") in text


def test_a_letter_cut_in_two_is_left_out(output: Output) -> None:
    for part in ("a" + "я" * (KEPT // 2), "о" * 1_000, "ж" * (KEPT // 2 - 1) + "b", "c"):
        os.write(output.writing, part.encode())
        output.drain()
    head, _, tail = output.take().split("\n")
    assert (head, tail) == ("a" + "я" * (KEPT // 2 - 1), "ж" * (KEPT // 2 - 1) + "bc")


def test_a_flood_is_noticed_and_never_held_in_memory(output: Output) -> None:
    while not output.flooded:
        os.write(output.writing, b"x" * 60_000)
        output.read()
    assert output.size > MOST
    assert len(output.take()) < 3 * KEPT


def test_an_end_is_told_from_silence(output: Output) -> None:
    assert output.read()
    output.hand_over()
    assert not output.read()


def test_nothing_that_acts_stays() -> None:
    shown = clean("a\x1b[31mred\u202egpj.exe\x07\r\ttab\nline\u200b\x00\ud800")
    assert shown == "a�[31mred�gpj.exe��\ttab\nline���"
