"""A course is made of files alone: what the tiny lesson's files become, and how a broken one is left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lessons.faults import ContentError
from lessons.loader import stamp
from lessons.model import CodeRef, DemoRef, ExerciseRef, FigureRef, Part, Prose, QuizRef

NBSP = "\u00a0"


def test_a_lesson_is_a_folder_of_files(site: Any) -> None:
    course = site.load()
    assert (course.title, course.planned) == ("Крошечный курс", ("2. Четверти",))
    lesson = course.lesson("halves")
    assert [block.id for block in lesson.blocks] == ["start", "count", "deeper"]
    assert lesson.core_minutes == 8
    assert len(lesson.questions) == 12
    assert lesson.phases[0].figure == site.content / "01-halves/figures/cut.svg"


def test_adding_a_lesson_needs_only_files(site: Any) -> None:
    shutil.copytree(site.content / "01-halves", site.content / "02-quarters")
    site.change("02-quarters/lesson.toml", 'id = "halves"', 'id = "quarters"')
    site.change("02-quarters/lesson.toml", '["Умение считать до двух"]', '["halves", "Терпение"]')
    course = site.load()
    assert [lesson.id for lesson in course.lessons] == ["halves", "quarters"]
    assert course.lesson("quarters").prerequisites == ("halves", "Терпение")


def test_the_flow_keeps_prose_parts_and_directives_in_order(site: Any) -> None:
    start, count, deeper = site.load().lesson("halves").blocks
    kinds = [piece.name if isinstance(piece, Part) else type(piece) for piece in start.pieces]
    assert kinds == ["map", "anchor", Prose, "terms", "phases", FigureRef]
    assert [type(piece) for piece in count.pieces] == [Prose, CodeRef, DemoRef, QuizRef, Part]
    assert deeper.depth == "deep"
    assert ExerciseRef("cut-it") in deeper.pieces


def test_facts_and_links_are_filled_in_and_code_is_left_alone(site: Any) -> None:
    lesson = site.load().lesson("halves")
    text = lesson.blocks[0].pieces[2].text
    assert f"весит 182{NBSP}г," in text
    assert "## это не блок\n{{ message }}\n::: тоже не директива" in text
    assert lesson.map.breakthrough == f"После десяти разрезов кусков 1{NBSP}024."
    links = lesson.blocks[1].pieces[0].text
    assert links == "Смотрите [задачу](exercise?id=cut-it) и [начало](lesson?id=halves&block=start)."


def test_code_is_quoted_from_the_file_with_arrows_on_its_lines(site: Any) -> None:
    code = site.load().lesson("halves").blocks[1].pieces[1]
    assert code.source.startswith("def cut(self, times: int) -> int:")
    assert code.first_line == 9
    pointed = [code.source.splitlines()[arrow.line - 1].strip() for arrow in code.arrows]
    assert pointed == ["for _ in range(times):", "pieces *= 2"]
    assert code.arrows[1].text == f"каждый удваивает: выйдет 1{NBSP}024"


def test_a_quoted_function_comes_with_its_decorators(site: Any) -> None:
    file = site.root / "demos/halving.py"
    file.write_text(file.read_text().replace("    def cut(", "    @staticmethod\n    @cache\n    def cut("))
    code = site.load().lesson("halves").blocks[1].pieces[1]
    assert code.source.startswith("@staticmethod\n@cache\ndef cut(")
    assert code.first_line == 9


def test_a_demo_keeps_its_preset_and_its_locks(site: Any) -> None:
    demo = site.load().lesson("halves").blocks[1].pieces[2]
    assert (demo.name, demo.preset, demo.locked) == ("halves.cut", {"times": "10"}, frozenset({"times"}))


def test_a_bare_quiz_asks_what_no_other_directive_asks(site: Any) -> None:
    lesson = site.load().lesson("halves")
    named = lesson.blocks[1].pieces[3]
    rest = next(piece for piece in lesson.blocks[2].pieces if isinstance(piece, QuizRef))
    assert named.questions == ("pieces", "after-one")
    assert rest.questions == tuple(one.id for one in lesson.questions if one.id not in named.questions)


def test_answers_that_name_facts_are_the_numbers_a_learner_types(site: Any) -> None:
    lesson = site.load().lesson("halves")
    pieces, share = lesson.question("pieces"), lesson.question("share")
    assert pieces.answer == 1024
    assert pieces.wrong_numbers[0].value == 20
    assert share.answer == pytest.approx(100 / 1024), "a share is typed in percent"


def test_a_fact_in_bytes_is_asked_for_in_the_questions_unit(site: Any) -> None:
    site.change("facts.toml", 'form = "г"', 'form = "bytes"')
    site.change("facts.toml", "value = 182", "value = 13631488")
    site.change("01-halves/quiz.toml", 'answer = "halves.share"', 'answer = "halves.weight"')
    site.change("01-halves/quiz.toml", 'unit = "%"', 'unit = "МБ"')
    assert site.load().lesson("halves").question("share").answer == pytest.approx(13.631488)
    site.change("01-halves/quiz.toml", 'unit = "МБ"', 'unit = "МиБ"')
    assert site.load().lesson("halves").question("share").answer == 13


def test_claims_and_misconceptions_are_for_instructors(site: Any) -> None:
    course = site.load()
    assert course.misconceptions["ADDS_INSTEAD"].block == "count"
    (claim,) = course.claims
    assert claim.says == "10 разрезов дают 20 кусков, это 5 %", "quoted as it stands"
    assert claim.truth == f"Кусков 1{NBSP}024."
    assert course.facts["halves.share"].derivation == f"Один кусок из 1{NBSP}024."


def test_a_broken_lesson_is_left_out_and_the_rest_is_shown(site: Any) -> None:
    shutil.copytree(site.content / "01-halves", site.content / "02-quarters")
    site.change("02-quarters/lesson.toml", 'id = "halves"', 'id = "quarters"')
    site.change("02-quarters/lesson.toml", "[map]", "[map")
    course, faults = site.leniently()
    assert [lesson.id for lesson in course.lessons] == ["halves"]
    assert [str(fault.path) for fault in faults] == ["content/02-quarters/lesson.toml"]


def test_a_reference_to_a_broken_lesson_is_no_second_fault(site: Any) -> None:
    shutil.copytree(site.content / "01-halves", site.content / "02-quarters")
    site.change("02-quarters/lesson.toml", 'id = "halves"', 'id = "quarters"')
    site.change("01-halves/lesson.toml", 'lesson = "halves"', 'lesson = "quarters"')
    site.change("02-quarters/lesson.toml", "[map]", "[map")
    assert len(site.faults()) == 1


def test_a_lesson_in_progress_is_shown_with_its_shortcomings(site: Any) -> None:
    text = site.read("01-halves/quiz.toml")
    site.write("01-halves/quiz.toml", text[: text.rindex("[[question]]")])
    site.change("01-halves/lesson.md", "Яблоко весит", "Почти 50 % яблока. Весит")
    course, faults = site.leniently()
    assert course.lesson("halves") is not None
    assert len(faults) == 2
    with pytest.raises(ContentError, match="вопросов 11"):
        site.load()


def test_content_that_is_not_there_is_a_fault_not_a_crash(site: Any, tmp_path: Path) -> None:
    shutil.rmtree(site.content)
    course, faults = site.leniently()
    assert course.lessons == ()
    assert [str(fault) for fault in faults] == ["content/course.toml:1: нет такого файла"]


def test_the_stamp_changes_with_every_edit(site: Any) -> None:
    before = stamp(site.content)
    assert stamp(site.content) == before
    file = site.content / "01-halves/lesson.md"
    os.utime(file, ns=(1, 1))
    touched = stamp(site.content)
    site.write("01-halves/notes.md", "")
    assert len({before, touched, stamp(site.content)}) == 3


@pytest.mark.parametrize(
    ("closes", "told"),
    [("", "не сказано"), ("halves/pieces", "сам выдаёт"), ("halves/nothing", "нет вопроса"), ("halves/steps", "")],
)
def test_a_wrong_idea_is_closed_by_another_question(site: Any, closes: str, told: str) -> None:
    file = "misconceptions.toml"
    line = f'closes = "{closes}"\n' if closes else ""
    site.write(file, site.read(file).replace('closes = "halves/after-one"\n', line))
    course, faults = site.leniently()
    assert course.misconceptions
    assert [told in fault.message for fault in faults] == ([True] if told else [])
