"""The bundled model's tokens without transformers: the same ids from the same file, cheap enough for a page.

A byte-level token may hold a part of a letter; ``show`` says so instead of guessing. Leaves out templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from demos.finetuning.base_model import FOLDER


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text. ``special`` ones are whole whatever stands around them."""

    id: int
    text: str
    special: bool
    trained: bool = False


@cache
def tokenizer(special: tuple[str, ...] = (), folder: Path = FOLDER) -> Any:
    """The bundled tokenizer (a ``tokenizers.Tokenizer``) that takes ``special`` for special tokens, too."""
    from tokenizers import AddedToken, Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in special])
    return made


def encode(text: str, special: tuple[str, ...] = ()) -> Any:
    """The ``tokenizers.Encoding`` of a text, nothing added to it."""
    return tokenizer(special).encode(text, add_special_tokens=False)


def count(text: str) -> int:
    """How many tokens a text takes."""
    return len(encode(text).ids)


def marks(special: tuple[str, ...] = ()) -> frozenset[int]:
    """The ids of all special tokens."""
    return frozenset(tokenizer(special).get_added_tokens_decoder())


def show(identity: int, special: tuple[str, ...] = ()) -> str:
    """What a token stands for; ``⟨D0⟩`` for bytes that are no whole letter."""
    written: str = tokenizer(special).id_to_token(identity)
    if identity in marks(special):
        return written
    raw = bytes(_bytes()[letter] for letter in written)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return f"⟨{raw.hex(' ').upper()}⟩"


@cache
def _bytes() -> dict[str, int]:
    """Letter → byte of byte-level BPE: printable bytes stand for themselves, the rest follow from U+0100 on.

    Source: ``bytes_to_unicode`` of GPT-2 (Radford et al., 2019).
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(rest)}
