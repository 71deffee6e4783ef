"""What every text of the course goes through: facts filled in, links resolved, and the rules of good Russian numbers.

A figure with a unit typed by hand is a fault (a fact of facts.toml keeps it true), and so is a word that the course
does not use. Code, maths and facts are left alone. Leaves out where texts stand (``filling``, ``markdown``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

FACT = re.compile(r"\{\{\s*fact\s+([\w.\-]+)\s*\}\}")
CODE = re.compile(
    r"^[ ]{0,3}(?P<fence>```+|~~~+)[^\n]*\n.*?(?:^[ ]{0,3}(?P=fence)[^\n]*$|\Z)"
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)
MATHS = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?![\d$])", re.DOTALL)
LINK = re.compile(r"\]\((lesson|exercise):([^)\s#]*)(?:#([^)\s]*))?\)")
"""A link inside the course: ``[текст](lesson:lora-math#counting)``, ``[текст](exercise:lora-linear)``."""

_MASK = "\0"
_UNITS = (
    r"%|‰|п\.\s?п\.",
    r"[КМГТ]и?Б\b|[KMGT]i?B\b|(?:кило|мега|гига|тера)байт\w*|байт\w* на|бит\w* на",
    r"параметр\w*|токен\w* в секунду",
    r"раза?\b|×(?!\s*[\d\w\0])",
    r"тыс\.|тысяч\w*|млн\b|миллион\w*|млрд\b|миллиард\w*|трлн\b",
    r"мс\b|сек\b|секунд\w*|мин\b|минут\w*|час(?:а|ов)?\b",
    r"[КМГТ]?Вт\b|[МГТП]?[Фф]лоп\w*|FLOPs?\b|₽|руб\w*|\$",
)
_FIGURE = re.compile(rf"(?<![\w.,/{_MASK}-])\d[\d.,  ]*?\s?(?:{'|'.join(_UNITS)})")

AVOIDED = {
    r"квантизаци\w*": "квантование",
    r"интеллектуальн\w+ ранг\w*": "внутренний ранг",
    r"файн-?\s?тюн\w*": "дообучение",
    r"(?:с)?м[её]рдж\w*": "слияние",
    r"градиентн\w+ чекпоинтинг\w*": "чекпоинтинг активаций",
}
"""Words that the course does not use, as patterns, and what it says instead."""
_AVOIDED = {re.compile(pattern, re.IGNORECASE): instead for pattern, instead in AVOIDED.items()}
_ANY_AVOIDED = re.compile(rf"\b(?:{'|'.join(AVOIDED)})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something wrong in a text: what stands there, and the sentence about it."""

    snippet: str
    message: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link inside the course, as written."""

    snippet: str
    kind: str  # lesson | exercise
    target: str
    block: str


def facts_in(text: str) -> Iterator[tuple[str, str]]:
    """Each fact that the text asks for: what is written, and the id."""
    for match in FACT.finditer(text):
        yield match.group(), match.group(1)


def links_in(text: str) -> Iterator[Link]:
    """Each link inside the course."""
    for match in LINK.finditer(_without(CODE, text)):
        yield Link(match.group(), match.group(1), match.group(2), match.group(3) or "")


def resolve_links(text: str) -> str:
    """The text with addresses of pages in place of ``lesson:`` and ``exercise:``."""
    return LINK.sub(_address, text)


def _address(match: re.Match[str]) -> str:
    kind, target, block = match.groups()
    return f"]({kind}?id={target}{f'&block={block}' if block else ''})"


def strange_braces(text: str) -> Iterator[Remark]:
    """Double braces outside code and maths that are no fact."""
    if "{{" not in text:
        return
    for match in re.finditer(r"\{\{[^\n]{0,40}", plain(text)):
        snippet = text[match.start() : match.end()].split("}}", maxsplit=1)[0] + "}}"
        yield Remark(text[match.start() : match.start() + 4], f"не понять «{snippet}»; бывает только {{{{ fact ID }}}}")


def bare_figures(text: str) -> Iterator[Remark]:
    """Numbers with a unit typed by hand."""
    for match in _FIGURE.finditer(plain(text)):
        figure = " ".join(match.group().split())
        yield Remark(
            match.group(),
            f"число с единицей набрано руками: «{figure}»; заведите факт в facts.toml и пишите {{{{ fact ID }}}}",
        )


def avoided_words(text: str) -> Iterator[Remark]:
    """Words that the course does not use."""
    for found in _ANY_AVOIDED.finditer(plain(text)):
        instead = next(instead for pattern, instead in _AVOIDED.items() if pattern.match(found.group()))
        yield Remark(found.group(), f"в курсе не говорят «{found.group()}»; говорят «{instead}»")


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """The text with code, facts and maths masked, offsets and line ends kept."""
    if "`" in text or "~~~" in text:
        text = _without(CODE, text)
    if "{{" in text:
        text = _without(FACT, text)
    return _without(MATHS, text) if "$" in text else text


def _without(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: re.sub(r"[^\n]", _MASK, match.group()), text)
