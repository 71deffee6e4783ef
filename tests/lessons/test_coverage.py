"""The map from source documents to the course: whole, leading somewhere, and not too thin."""

from __future__ import annotations

from typing import Any

import pytest

DOCUMENTS = """
[[document]]
id = "D"
title = "Яблоки"
sections = ["1", "2", "3"]
checked_from = "1"
checked_to = "3"
"""
ROW = """
[[row]]
source = "D"
section = "{section}"
what = "разрез"
block = "halves#count"
check = "quiz:halves/pieces"
"""
WHOLE = DOCUMENTS + "".join(ROW.format(section=name) for name in ("1", "2", "3"))


def messages(site: Any, text: str) -> list[str]:
    site.write("coverage.toml", text)
    course, faults = site.leniently()
    assert course.lessons, "a thin map must not hide the lessons"
    return [fault.message for fault in faults]


def test_a_whole_map_is_silent(site: Any) -> None:
    assert messages(site, WHOLE) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('section = "2"', 'section = "9"', "нет раздела «9»"),
        ('block = "halves#count"', 'block = "halves#cunt"', "ближайш"),
        ("quiz:halves/pieces", "quiz:halves/peaces", "нет вопроса «peaces»"),
        ("quiz:halves/pieces", "exercise:cut-me", "нет упражнения"),
        ('check = "quiz:halves/pieces"\n', "", "нужно одно из двух"),
        ('source = "D"', 'source = "E"', "нет документа «E»"),
    ],
)
def test_what_leads_nowhere_is_told(site: Any, old: str, new: str, told: str) -> None:
    assert any(told in message for message in messages(site, WHOLE.replace(old, new, 1)))


def test_a_section_that_nobody_took_is_told(site: Any) -> None:
    missing = DOCUMENTS + ROW.format(section="1") + ROW.format(section="2")
    assert any("раздел «3» документа D нигде не учтён" in message for message in messages(site, missing))


def test_too_many_rows_for_a_block_and_too_many_mentions_are_told(site: Any) -> None:
    crowded = WHOLE + ROW.format(section="1") * 2
    assert any("отвечает за 5 строк" in message for message in messages(site, crowded))
    thin = WHOLE.replace('check = "quiz:halves/pieces"', 'mention = "к слову"', 1)
    assert any("не проверяется 1 разделов из 3" in message for message in messages(site, thin))


def test_a_section_may_be_left_out_for_a_reason(site: Any) -> None:
    row = '\n[[row]]\nsource = "D"\nsection = "2"\nwhat = "реклама"\nleft_out = "не о деле"\n'
    text = DOCUMENTS.replace('checked_from = "1"\n', "") + ROW.format(section="1") + row + ROW.format(section="3")
    assert messages(site, text) == []
