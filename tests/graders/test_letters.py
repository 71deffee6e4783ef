"""Look-alike letters: each is named with its line, and nobody is bothered who writes Russian names."""

from __future__ import annotations

import time

import pytest

from graders.letters import MOST, notices
from graders.submission import LARGEST

NOTICED = {
    "Cyrillic in a Latin word": ("x = 1\nрower = 2", "В строке 2 в имени «рower» буква «р» русская"),
    "a method": ("m.fоrward()", "В строке 1 в имени «fоrward» буква «о» русская"),
    "a whole part": ("lora_а = 1", "в имени «lora_а» буква «а» русская"),
    "Latin in a Russian word": ("cлой = 1", "в имени «cлой» буква «c» латинская"),
    "a name that is asked for": ("y = х", "В строке 1 имя «х» набрано кириллицей, а нужно латинское «x»"),
    "a ligature": ("ﬁt = 1", "имя «ﬁt» записано особыми знаками, Python прочтёт его как «fit»"),
    "mathematical letters": ("𝐱 = 1", "Python прочтёт его как «x»"),
    "full width": ("ｘ = 1", "Python прочтёт его как «x»"),
    "a superscript": ("x² = 1", "в имени «x²» есть знак, которого в именах быть не может"),
    "an invisible mark": ("a\u200bb = 1", "невидимый знак (U+200B)"),
    "a joiner inside a name": ("a\u034fb = 1", "есть невидимый знак (U+034F)"),
    "a selector inside a name": ("a\ufe0fb = 1", "есть невидимый знак (U+FE0F)"),
    "no-break space": ("x\u00a0= 1", "неразрывный или особый пробел"),
    "curly quotes": ("print(“a”)", "типографская кавычка"),
    "a dash": ("x = a – b", "тире или типографский минус"),
    "direction in code": ("x = 1 \u2067", "знак U+2067 меняет направление письма"),
    "direction in a string": ("x = 'a\u202eb'", "знак U+202E меняет направление письма"),
    "direction in a comment": ("x = 1  # \u2066", "знак U+2066 меняет направление письма"),
}
UNNOTICED = [
    "слой = 1",
    "loss_на_тесте = nСлоёв + x_трен",
    "y = а + о",  # a legal name of one Russian letter, and nobody asks for «a»
    "и\u0306 = 1",  # й in two signs, as some systems write it
    "α = β * Δw",
    "# рower и “кавычки”\n",
    "s = 'рower — “так”'",
    '"""\nрower = 1\n"""',
    "s = r'\\' + \"fоrward\"",
    "s = '\u200d'",
]


@pytest.mark.parametrize("name", NOTICED)
def test_a_letter_that_deceives_is_named_with_its_line(name: str) -> None:
    text, words = NOTICED[name]
    found = notices(text, names={"x"})
    assert any(words in notice for notice in found), found
    assert all(notice.startswith("В строке ") and notice.endswith(".") for notice in found)


@pytest.mark.parametrize("text", UNNOTICED)
def test_russian_names_comments_and_strings_are_nobodys_business(text: str) -> None:
    assert notices(text, names={"x"}) == []


def test_a_cell_is_named_before_the_line() -> None:
    assert notices("\nрower = 1", "в ячейке 3, ")[0].startswith("В ячейке 3, в строке 2 в имени «рower»")


def test_a_name_is_told_once_and_only_the_first_few_are() -> None:
    assert len(notices("рower = 1\n" * 20)) == 1
    assert len(notices("".join(f"р{number}ower = 1\n" for number in range(20)))) == MOST
    assert len(notices(f"{'рower' * 10_000} = 1")[0]) < 200


@pytest.mark.parametrize("piece", ["й ", "'", '"', '"""', "\\", "'''\\", "r'", "(", "a\u0306", "«", "#\n"])
def test_no_text_takes_long(piece: str) -> None:
    begun = time.process_time()
    notices("й" + piece * (LARGEST // len(piece.encode())))
    assert time.process_time() - begun < 2


def test_many_different_names_take_no_longer() -> None:
    begun = time.process_time()
    notices(" ".join(f"й{number}" for number in range(35_000)))
    assert time.process_time() - begun < 2
