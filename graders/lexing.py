r"""Where names, strings and comments lie in Python text, found in one linear pass and without parsing.

Good enough to tell code from what stands inside a string, for any text whatsoever: nothing is refused, and each
character is looked at once (all repetitions are possessive). Leaves out f-strings' insides, which count as string.

>>> [(token.kind, token.text) for token in tokens("x = 'y'  # z")]
[('name', 'x'), ('other', '='), ('string', "'y'"), ('comment', '# z')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, cast

Kind = Literal["name", "string", "comment", "line", "other"]

COMMENT = r"\#[^\n]*+"
STRING = r"""
    (?: [rbufRBUF]{0,2}+ ) (?:
        \"{3} (?: [^"\\]++ | \\. | "(?!"") )*+ (?: \"{3} )?+
      | '{3} (?: [^'\\]++ | \\. | '(?!'') )*+ (?: '{3} )?+
      | " (?: [^"\\\n]++ | \\. )*+ "?+
      | ' (?: [^'\\\n]++ | \\. )*+ '?+ )
"""
"""For ``re.VERBOSE | re.DOTALL``: a comment; a literal to its end or, where it has none, as far as it goes."""

_TOKEN = re.compile(
    rf"""
    (?P<space> [ \t\f]++ ) | (?P<comment> {COMMENT} ) | (?P<string> {STRING} )
  | (?P<name> [^\W\d] [\w\u0300-\u036f]*+ ) | (?P<line> \\?+\n ) | (?P<other> [0-9.]++ | . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of text. ``line`` tokens end a line; one that begins with a backslash goes on in the next."""

    kind: Kind
    text: str
    start: int


def tokens(text: str) -> Iterator[Token]:
    """All tokens of ``text`` but spaces."""
    at = 0
    while at < len(text):
        token = token_at(text, at)
        at = token.start + len(token.text)
        if token.text:
            yield token


def token_at(text: str, at: int) -> Token:
    """The token that begins at ``at`` or after the spaces there; empty at the end of the text."""
    found = _TOKEN.match(text, at)
    if found is not None and found.lastgroup == "space":
        found = _TOKEN.match(text, at := found.end())
    return Token(cast("Kind", found.lastgroup), found[0], at) if found is not None else Token("other", "", len(text))
