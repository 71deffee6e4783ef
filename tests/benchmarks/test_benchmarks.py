"""The benchmarks measure what they say: their visitor really answers, their plain pytest really checks. No times."""

from __future__ import annotations

import ast
import asyncio
import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import pages, table
from benchmarks.running import Running, running_course
from benchmarks.visitor import Reply, visitors
from cli.bench import discover
from progress import learning
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT

MEASUREMENTS = {"calculator", "finetuning", "grading", "memory", "pages", "start"}


def test_course_bench_finds_every_measurement() -> None:
    assert set(discover(ROOT / "benchmarks")) >= MEASUREMENTS


@pytest.mark.slow
@pytest.mark.parametrize("name", discover(ROOT / "benchmarks"))
def test_a_measurement_says_in_one_line_what_it_measures(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(module.main)
    first, _, rest = (module.__doc__ or "").partition("\n")
    assert first.endswith(".")
    assert not rest or rest.startswith("\n")


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").rglob("*.py")), ids=lambda path: path.stem)
def test_every_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_a_missed_bound_is_named() -> None:
    assert "ok" in table.verdict(14.9, 15)
    assert "MISSED" in table.verdict(15.1, 15)
    assert "ok" in table.verdict(12, 10, at_least=True)
    assert "MISSED" in table.verdict(9, 10, at_least=True)


def test_columns_are_as_wide_as_their_longest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    table.show("Title", ("a", "bound"), [("long cell", "<= 5"), ("x", "")])
    assert capsys.readouterr().out.splitlines()[2:] == ["  a          bound", *_lines()]


def _lines() -> list[str]:
    return ["  ---------  -----", "  long cell  <= 5", "  x"]


def test_cpu_is_that_of_the_whole_process() -> None:
    before = time.process_time_ns() / 1e6
    measured = pages.App(os.getpid(), [], 0.0).cpu()
    assert before <= measured <= time.process_time_ns() / 1e6


def test_the_blocks_are_those_of_the_lesson() -> None:
    found = pages.blocks()
    assert len(found) > 10
    assert pages.BLOCK in found


@pytest.fixture(scope="module")
def course() -> Iterator[Running]:
    with running_course() as running:
        yield running


async def _answer(url: str) -> tuple[Reply, Reply, str]:
    """One visitor chooses the second option and answers; the reply, what a later visitor sees, the option's text."""
    async with visitors(url, "lesson", 1, id=pages.LESSON, block=pages.BLOCK) as (tab,):
        chosen = tab.choose(f"input-{pages.QUESTION}-", 1)
        reply = await pages.answer(tab, 1)
    async with visitors(url, "lesson", 1, id=pages.LESSON, block=pages.BLOCK) as (tab,):
        return reply, await tab.show(id=pages.LESSON, block=pages.BLOCK), chosen


@pytest.mark.slow
def test_a_visitors_answer_is_judged_stored_and_there_for_the_next_visitor(course: Running) -> None:
    reply, later, chosen = asyncio.run(_answer(course.url))
    stored = learning.answers(Database(f"sqlite:///{course.data_dir / 'course.sqlite'}"), LOCAL, pages.LESSON)
    assert [(row.question, row.response, row.confidence) for row in stored] == [
        (pages.QUESTION, {"chosen": chosen}, "think")
    ]
    assert reply.says("**Верно.**") == stored[0].right
    assert pages.judged(reply)
    assert 0 < reply.elements < later.elements, "an answer draws its question anew, not the page"
    assert later.says(chosen)
    assert pages.stored(course) == 1


async def _show(url: str, **query: str) -> Reply:
    async with visitors(url, "lesson", 1, **query) as (tab,):
        return await tab.show(**query)


@pytest.mark.slow
def test_a_visitor_is_where_its_address_says(course: Running) -> None:
    assert asyncio.run(_show(course.url, id=pages.LESSON, block="nowhere")).says("Такого блока в этом уроке нет")
    assert asyncio.run(_show(course.url, id=pages.LESSON, block="merge")).elements > 10
