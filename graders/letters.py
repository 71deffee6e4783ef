"""Letters that look like others: names that mix Cyrillic and Latin, marks that cannot be seen, names that Python reads
otherwise. Each finding is a Russian sentence that names the line and the letter, and costs nothing.

One linear pass of a regular expression over text of bounded size, so it may run in any process. Names in plain Russian
are nobody's business, unless a name that the exercise asks for looks the same; neither are comments and strings, but
for marks that turn the direction of writing: those make code read otherwise than it runs. Leaves out homoglyphs of
other scripts, and what stands inside an f-string.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from graders.lexing import COMMENT, STRING

MOST = 5
"""Findings told; more would hide the first."""
_LONGEST = 40  # letters of a name that are shown
_MOST_NAMES = 5_000  # different ones that are looked at: nobody has more, and the time stays bounded

_LATIN = dict(zip("асеорухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅ", "aceopyxijshdqwABEKMHOPCTXYIJS", strict=True))
"""Cyrillic letters that cannot be told from a Latin one."""
_RUSSIAN = frozenset("aceopyxABEKMHOPCTX")
"""Latin letters that cannot be told from a Russian one."""
_MARKS = {
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u200e\u200f\u061c", "невидимый знак"),
    **dict.fromkeys("\u00a0\u2007\u202f\u2009\u3000", "неразрывный или особый пробел вместо обычного"),
    **dict.fromkeys("“”„«»", 'типографская кавычка вместо "'),
    **dict.fromkeys("‘’", "типографская кавычка вместо '"),
    **dict.fromkeys("–—−", "тире или типографский минус вместо -"),
    **dict.fromkeys("×", "знак умножения вместо *"),
    **dict.fromkeys("…", "многоточие одним знаком вместо трёх точек"),
}
_FOREIGN = re.compile(
    rf"""
    (?P<apart> {COMMENT} | {STRING} )
  | (?P<name> [^\W\d] [\w\u0300-\u036f\ufe00-\ufe0f]*+ )
  | (?P<mark> [{"".join(_MARKS)}] )
    """,
    re.VERBOSE | re.DOTALL,
)
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")  # fit for names
_PART = re.compile(r"[^\W\d_]+")


def notices(text: str, place: str = "", names: Collection[str] = ()) -> list[str]:
    """What was noticed in ``text``. ``place`` is put before the line («в ячейке 2, »), ``names`` are asked for."""
    if text.isascii():
        return []
    seen: dict[str, int] = {}  # what -> where it is first
    for at, what in _findings(text, frozenset(names)):
        seen.setdefault(what, at)
        if len(seen) == MOST:
            break
    lines = [f"{place}в строке {text.count(chr(10), 0, at) + 1} {what}." for what, at in seen.items()]
    return [line[0].upper() + line[1:] for line in lines]


def _findings(text: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    for found in _TURNS.finditer(text):
        yield found.start(), f"знак U+{ord(found[0]):04X} меняет направление письма: код читается не так, как работает"
    known: set[str] = set()
    for found in _FOREIGN.finditer(text):
        if found.lastgroup == "mark":
            yield found.start(), f"{_MARKS[found[0]]} (U+{ord(found[0]):04X}): наберите это место заново"
        elif (
            found.lastgroup == "name" and not found[0].isascii() and found[0] not in known and len(known) < _MOST_NAMES
        ):
            known.add(found[0])
            if what := _name(found[0], names):
                yield found.start(), what


def _name(name: str, names: frozenset[str]) -> str:
    """What is wrong with a name; empty when nothing is."""
    shown = f"«{name[:_LONGEST]}…»" if len(name) > _LONGEST else f"«{name}»"
    if hidden := _HIDDEN.search(name):
        return f"в имени {shown} есть невидимый знак (U+{ord(hidden[0]):04X}): наберите имя заново"
    if not name.isidentifier():
        return f"в имени {shown} есть знак, которого в именах быть не может"
    plain = unicodedata.normalize("NFKC", name)
    if plain != unicodedata.normalize("NFC", name):
        return f"имя {shown} записано особыми знаками, Python прочтёт его как «{plain[:_LONGEST]}»"
    latin = "".join(_LATIN.get(letter, letter) for letter in name)
    if latin in names:
        return f"имя {shown} набрано кириллицей, а нужно латинское «{latin}»: наберите его на английской раскладке"
    return _mixture(name, shown)


def _mixture(name: str, shown: str) -> str:
    """A letter that only looks as if it were of the word's alphabet; ``loss_на_тесте`` and ``nСлоёв`` are fine."""
    for part in _PART.findall(name):
        ours = [letter for letter in part if _is_cyrillic(letter)]
        theirs = [letter for letter in part if letter.isascii()]
        alike = all(letter in _LATIN for letter in ours)
        if ours and alike and (theirs or any(letter.isascii() and letter.isalpha() for letter in name)):
            return f"в имени {shown} буква «{ours[0]}» русская, хотя выглядит латинской: для Python это другое имя"
        if ours and theirs and _RUSSIAN.issuperset(theirs) and len(theirs) < len(ours):
            return f"в имени {shown} буква «{theirs[0]}» латинская, хотя выглядит русской: для Python это другое имя"
    return ""


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u052f"
