"""docs/authoring.md tells the truth: its keys, directives and kinds are those of the loader."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from typing import Any, get_args

import pytest

from lessons import markdown, model, quiz, standards, written
from lessons.facts import Spec
from settings import ROOT

DOCS = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)]


def names(kind: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


@pytest.fixture
def lesson() -> dict[str, Any]:
    return next(example for example in EXAMPLES if "outcomes" in example)


def test_every_key_of_a_lesson_is_documented_and_no_other(lesson: dict[str, Any]) -> None:
    assert set(lesson) == names(written.WrittenLesson)
    tables = {
        "terms": model.Term,
        "phases": model.Phase,
        "myths": model.Myth,
        "errors": model.FrequentError,
        "checklist": model.ChecklistItem,
        "next": model.NextStep,
    }
    for key, kind in tables.items():
        assert set(lesson[key][0]) == names(kind), key
    assert set(lesson["map"]) == names(model.Map)


def test_every_key_of_facts_and_claims_is_documented_and_no_other() -> None:
    example = next(example for example in EXAMPLES if "fact" in example)
    assert {key for fact in example["fact"] for key in fact} == names(Spec)
    assert set(example["claim"][0]) == names(model.Claim)


def test_every_key_and_kind_of_a_question_is_documented() -> None:
    section = DOCS[DOCS.index("## quiz.toml") : DOCS.index("## facts.toml")]
    known = names(quiz.WrittenQuestion) | names(model.Option) | names(quiz.WrittenWrong)
    assert {key for key in known if not re.search(rf"\b{key}\b", section)} == set()
    used = set(re.findall(r"\b([a-z]+) = ", section))
    assert used - known == {"form"}
    assert all(f"`{kind}`" in section for kind in get_args(model.QuestionKind))
    assert all(unit in section for unit in quiz.BYTES)


def test_every_directive_is_documented_and_no_other() -> None:
    assert set(re.findall(r"`::: ([a-z]+)", DOCS)) == set(markdown.DIRECTIVES)


def test_the_bounds_are_those_of_the_checks() -> None:
    assert f"at most {standards.CORE_MINUTES} minutes" in DOCS
    assert (standards.QUESTIONS, standards.KINDS) == (12, 5)
    assert "at least twelve questions of at least five kinds" in DOCS
