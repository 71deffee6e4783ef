"""What the documents promise an operator is what the code does: settings, commands, links, logs."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from cli import __main__ as main
from cli import russian
from settings import ROOT, Settings

README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def rows(text: str) -> dict[str, tuple[str, str]]:
    """First cell -> the other two, of every table row with three cells."""
    found = re.findall(r"^\| `([^`]+)` \| (.*?) ?\| (.*) \|$", text, re.M)
    return {name: (default.strip(), meaning) for name, default, meaning in found}


def default_text(value: object) -> str:
    if value == "":
        return ""
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}`"
    return f"`{value}`"


def command_lines() -> set[str]:
    """What stands behind ``./course`` in code of the documents, patterns (with capitals or dots) left out."""
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    found = set(re.findall(r"`(?:COURSE_\w+=\w+ )?\./course ([^`]+)`", text)) | set(
        re.findall(r"^\./course ([^#\n]+)", text, re.M)
    )
    commands = {words.strip() for words in found if not re.search(r"[A-Z[…]", words)}
    assert len(commands) > 8
    return commands


def test_every_setting_is_in_the_table_as_it_is_in_the_code() -> None:
    wanted = {
        item.metadata["variable"]: (default_text(item.default), item.metadata["meaning"])
        for item in dataclasses.fields(Settings)
    }
    table = rows(SETTINGS.split("## The launcher's own")[0])
    assert table == wanted


def test_every_variable_of_the_launcher_is_in_its_table_and_nothing_else() -> None:
    used = set(re.findall(r"\$\{(COURSE_[A-Z]+)", (ROOT / "course").read_text()))
    assert used
    assert set(rows(SETTINGS.split("## The launcher's own")[1])) == used


def test_the_readme_shows_start_and_test_first() -> None:
    commands = re.findall(r"^\./course (\w+)", README, re.M)
    assert commands[:2] == ["start", "test"]


def test_the_readme_opens_with_four_lines_in_russian() -> None:
    lines = README.splitlines()
    for line in lines[:4]:
        letters = re.findall(r"[A-Za-zА-Яа-яЁё]", re.sub(r"`[^`]*`|https?://\S+", "", line))
        russian_share = sum(letter in "ёЁ" or "А" <= letter <= "я" for letter in letters) / len(letters)
        assert russian_share > 0.6, line
    assert lines[4] == ""


def test_every_command_is_in_the_readme_and_every_one_there_exists() -> None:
    shown = set(re.findall(r"\./course ([a-z]+)", README))
    assert shown == set(main.COMMANDS)


@pytest.mark.parametrize("words", sorted(command_lines()))
def test_every_command_line_in_the_documents_is_understood(words: str) -> None:
    arguments, _ = main.parse(words.split())
    assert arguments.command == words.split(maxsplit=1)[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        is_file = not re.match(r"[a-z]+:", target)  # https:, and lesson: in examples
        assert not is_file or (document.parent / target).exists(), target


def test_the_help_is_in_russian(capsys: pytest.CaptureFixture[str]) -> None:
    for words in [["--help"], *([name, "--help"] for name in main.COMMANDS)]:
        with pytest.raises(SystemExit):
            main.parse(words)
        text = capsys.readouterr().out
        assert "как вызвать" in text
        for english in ("usage", "options:", "show this", "positional", "arguments"):
            assert english not in text, words


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "не хватает"),
        (["nonsense"], "нет такого"),
        (["start", "--prot", "1"], "лишнее"),
        (["start", "--port"], "нужно одно значение"),
        (["grade", "lora-linear"], "не хватает"),
    ],
)
def test_a_mistyped_command_is_one_russian_sentence(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.parse(words)
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert part in lines[0].lower()


def test_every_translation_still_has_its_original() -> None:
    """argparse looks texts up in English: a changed original would silently stay English."""
    import argparse
    import inspect

    source = re.sub(r"'\s*\n\s*'", "", inspect.getsource(argparse))
    versions = {"invalid choice: %(value)r (choose from %(choices)s)"}  # Python 3.12 and later say it in other words
    missing = [text for text in russian.TEXTS if text not in source and text not in versions]
    assert missing == []
