"""The course's own content: no faults, and every number comes out again as it is locked."""

from __future__ import annotations

import pytest

import settings
from cli import check
from demos import registry
from lessons import facts
from lessons.faults import Collector
from lessons.loader import load


def test_the_content_has_no_faults() -> None:
    ours = settings.load({})
    known, broken = check.gather(ours)
    assert broken == []
    course = load(ours.content_dir, known)
    assert course.lessons
    assert course.facts


@pytest.mark.slow
def test_every_number_comes_out_again() -> None:
    content = settings.load({}).content_dir
    sheets = facts.read_sheets(content, Collector())
    assert any(spec.computed for sheet in sheets for spec in sheet.specs.values())
    for sheet in sheets:
        lock = facts.read_lock(sheet.folder, content, Collector())
        assert facts.verify(sheet.specs.values(), lock, registry.call) == (), sheet.document.shown
