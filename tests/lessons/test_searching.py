"""A pasted traceback and a symptom in one's own words find their error; nonsense finds nothing."""

from __future__ import annotations

from lessons.searching import find

TEXTS = [
    (
        "names",
        "NoMatchingPeftModuleError: Target modules {'v_proj', 'q_proj'} not found in the base model. Имена слоёв.",
    ),
    ("frozen", "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn. Всё заморожено."),
    ("rate", "Потери почти не падают. Скорость обучения мала."),
]
TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 41, in <module>
    loss.backward()
RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn"""


def test_a_whole_traceback_finds_its_error_first() -> None:
    assert find(TRACEBACK, TEXTS)[0] == "frozen"


def test_other_forms_of_a_word_are_found() -> None:
    assert find("потеря не падала", TEXTS) == ["rate"]
    assert find("имена у слоя", TEXTS)[0] == "names"


def test_a_name_of_code_is_found_whole_or_by_its_part() -> None:
    assert find("q_proj", TEXTS) == ["names"]
    assert find("proj", TEXTS) == ["names"]


def test_nothing_sought_shows_all_and_nonsense_shows_none() -> None:
    assert find("  ", TEXTS) == ["names", "frozen", "rate"]
    assert find("абракадабра xyzzy", TEXTS) == []
    assert find("12345", TEXTS) == ["names", "frozen", "rate"]


def test_a_very_long_text_is_read_in_time() -> None:
    assert find(TRACEBACK + " слово" * 10**6, TEXTS)[0] == "frozen"
