"""A lesson in the browser's place: every block opens, answers come back in place and stay, ticks are stored at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from graders.protocol import Outcome, Verdict
from lessons.model import DemoRef, Lesson, Prose, QuizRef
from progress import learning, submissions
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT, Settings
from ui import record, session

Visit = Callable[..., AppTest]
LESSON = "lora-math"


def words(tab: AppTest) -> str:
    return "\n".join(element.value for element in (*tab.markdown, *tab.caption, *tab.header, *tab.title))


def lesson() -> Lesson:
    found = session.course().lesson(LESSON)
    assert found is not None, session.faults()
    return found


def block_of(question: str) -> str:
    """The block that asks a question, by name or among the rest."""
    blocks = [(block, piece) for block in lesson().blocks for piece in block.pieces if isinstance(piece, QuizRef)]
    named = [block.id for block, piece in blocks if question in piece.questions]
    return named[0] if named else next(block.id for block, piece in blocks if not piece.questions)


@pytest.mark.slow
def test_every_block_opens_with_its_title_and_without_an_exception(visit: Visit) -> None:
    for block in lesson().blocks:
        if any(isinstance(piece, DemoRef) and piece.name == "lora.spectrum" for piece in block.pieces):
            continue  # needs the compute process: see test_demos
        tab = visit("lesson", id=LESSON, block=block.id)
        assert not tab.exception, block.id
        assert tab.header[0].value == block.title


def test_the_line_above_says_where_the_learner_is(visit: Visit) -> None:
    tab = visit("lesson", id=LESSON, block=lesson().blocks[1].id)
    total = len(lesson().blocks)
    assert f"блок 2 из {total} · осталось {lesson().core_minutes}" in tab.get("progress")[0].proto.text


def test_one_primary_button_leads_on_and_back_leads_back(visit: Visit) -> None:
    first, second = lesson().blocks[:2]
    tab = visit("lesson", id=LESSON, block=first.id)
    assert tab.button("onward-button").label == f"Дальше: {second.title}"
    tab.button("onward-button").click().run()
    assert tab.header[0].value == second.title
    tab.button("back").click().run()
    assert tab.header[0].value == first.title


def test_the_place_is_stored_and_found_again(visit: Visit) -> None:
    visit("lesson", id=LESSON, block="merge")
    assert visit("lesson").header[0].value == "Слияние: поправка уходит в веса"
    assert visit("lesson", id=LESSON).header[0].value == "Слияние: поправка уходит в веса"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [({"id": "нет-такого"}, "Такого урока нет"), ({"id": LESSON, "block": "нет"}, "Такого блока")],
)
def test_an_address_that_leads_nowhere_gets_one_sentence(visit: Visit, query: dict[str, str], sentence: str) -> None:
    tab = visit("lesson", **query)
    assert not tab.exception
    assert sentence in words(tab)
    assert any(link.proto.label == "Вернуться к карте курса" for link in tab.get("page_link"))


def test_an_answer_needs_a_choice(visit: Visit) -> None:
    tab = visit("lesson", id=LESSON, block=block_of("first-guess"))
    tab.button_group("confidence-first-guess").set_value("sure").run()
    assert "Сначала выберите вариант" in words(tab)


def test_a_confident_mistake_is_explained_stored_and_shown_after_reload(visit: Visit, own_data: Settings) -> None:
    question = lesson().question("first-guess")
    assert question is not None
    wrong = next(option for option in question.options if not option.right)
    tab = visit("lesson", id=LESSON, block=block_of("first-guess"))
    tab.radio("input-first-guess-").set_value(wrong.text)
    tab.button_group("confidence-first-guess").set_value("sure").run()
    for page in (tab, visit("lesson", id=LESSON, block=block_of("first-guess"))):
        assert wrong.why in words(page)
        assert question.explanation in words(page)
        assert "Вы были уверены" in words(page)
    stored = learning.answers(Database(own_data.database), LOCAL, LESSON)
    assert [(row.question, row.right, row.confidence, row.misconception) for row in stored] == [
        ("first-guess", False, "sure", wrong.misconception)
    ]


def test_a_question_can_be_answered_again(visit: Visit, own_data: Settings) -> None:
    question = lesson().question("first-guess")
    assert question is not None
    right = next(option for option in question.options if option.right)
    wrong = next(option for option in question.options if not option.right)
    tab = visit("lesson", id=LESSON, block=block_of("first-guess"))
    tab.radio("input-first-guess-").set_value(wrong.text)
    tab.button_group("confidence-first-guess").set_value("guess").run()
    tab.button("again-first-guess").click().run()
    tab.radio("input-first-guess-").set_value(right.text)
    tab.button_group("confidence-first-guess").set_value("think").run()
    assert "Верно." in words(tab)
    stored = learning.answers(Database(own_data.database), LOCAL, LESSON)
    assert [row.right for row in stored] == [False, True]


def test_a_number_is_taken_as_people_type_it(visit: Visit) -> None:
    tab = visit("lesson", id=LESSON, block=block_of("rank-one-count"))
    tab.text_input("input-rank-one-count-").set_value("полторы тысячи")
    tab.button_group("confidence-rank-one-count").set_value("think").run()
    assert "Здесь нужно число" in words(tab)
    tab.text_input("input-rank-one-count-").set_value("1 500")
    tab.button_group("confidence-rank-one-count").set_value("think").run()
    assert "Верно." in words(tab)


def test_an_order_is_built_step_by_step(visit: Visit) -> None:
    question = lesson().question("first-steps")
    assert question is not None
    tab = visit("lesson", id=LESSON, block=block_of("first-steps"))
    tab.button_group("confidence-first-steps").set_value("think").run()
    assert "Сначала расставьте все шаги" in words(tab)
    for number in range(len(question.options)):
        tab.button(f"input-first-steps-loose{number}").click().run()
    tab.button("input-first-steps-placed0").click().run()
    assert tab.button("input-first-steps-loose0").label == question.options[0].text
    tab.button("input-first-steps-loose0").click().run()
    tab.button_group("confidence-first-steps").set_value("think").run()
    assert "Пока нет." in words(tab)
    assert "Расходится уже первый шаг" in words(tab)


def test_pairs_are_matched(visit: Visit) -> None:
    question = lesson().question("shapes-match")
    assert question is not None
    tab = visit("lesson", id=LESSON, block=block_of("shapes-match"))
    for number, option in enumerate(question.options):
        tab.button_group(f"input-shapes-match-{number}").set_value(option.pair)
    tab.button_group("confidence-shapes-match").set_value("sure").run()
    assert "Верно." in words(tab)


def test_several_and_spot_are_judged(visit: Visit) -> None:
    several, spot = lesson().question("printout"), lesson().question("shapes-spot")
    assert several is not None
    assert spot is not None
    tab = visit("lesson", id=LESSON, block=block_of("printout"))
    for number, option in enumerate(several.options):
        tab.checkbox(f"input-printout-{number}").set_value(option.right)
    tab.button_group("confidence-printout").set_value("sure").run()
    assert "Верно." in words(tab)
    tab = visit("lesson", id=LESSON, block=block_of("shapes-spot"))
    tab.radio("input-shapes-spot-").set_value(next(option.text for option in spot.options if option.right))
    tab.button_group("confidence-shapes-spot").set_value("sure").run()
    assert "Верно." in words(tab)


def test_a_myth_is_guessed_before_its_truth_and_the_guess_stays(visit: Visit) -> None:
    myth = lesson().myths[0]
    tab = visit("lesson", id=LESSON, block="myths")
    assert myth.truth not in words(tab)
    tab.button(f"guess-{myth.id}-0").click().run()
    assert myth.truth in words(tab)
    assert myth.truth in words(visit("lesson", id=LESSON, block="myths"))


def test_a_myths_picture_shows_each_fact_at_its_length(visit: Visit) -> None:
    course = session.course()
    myth = next(one for one in lesson().myths if len(one.bars) > 1)
    tab = visit("lesson", id=LESSON, block="myths")
    pictures = len(tab.get("html"))
    tab.button(f"guess-{myth.id}-0").click().run()
    shown = [each.proto.body for each in tab.get("html")]
    assert len(shown) == pictures + 1
    (picture,) = [body for body in shown if 'class="bars"' in body]
    values = [course.facts[bar.fact].value for bar in myth.bars]
    widths = [float(width) for width in re.findall(r"width:max\(([\d.]+)%", picture)]
    assert widths == pytest.approx([100 * value / max(values) for value in values], abs=0.01)
    assert all(course.facts[bar.fact].text in picture for bar in myth.bars)


def test_links_to_pages_lead_to_pages() -> None:
    """A lesson may send its reader to a page of the menu by its address alone: ``[«Адаптеры»](adapters)``."""
    pages = {file.stem for file in (ROOT / "ui" / "pages").glob("*.py")}  # addresses are the files' names
    written = {
        target.partition("?")[0]
        for one in session.course().lessons
        for block in one.blocks
        for piece in block.pieces
        if isinstance(piece, Prose)
        for target in re.findall(r"\]\(([a-z_]+(?:\?[^)]*)?)\)", piece.text)
    }
    assert {"choose", "adapters", "lesson"} <= written
    assert written <= pages


def test_a_tick_is_stored_at_once_and_taken_back(visit: Visit, own_data: Settings) -> None:
    item = lesson().checklist[0]
    database = Database(own_data.database)
    tab = visit("lesson", id=LESSON, block="checklist")
    tab.checkbox(f"tick-{item.id}").check().run()
    assert learning.ticks(database, LOCAL, LESSON) == {item.id}
    assert "отмечено" in tab.checkbox(f"tick-{item.id}").label
    tab.checkbox(f"tick-{item.id}").uncheck().run()
    assert learning.ticks(database, LOCAL, LESSON) == frozenset()


def test_phases_step_forwards_and_back(visit: Visit) -> None:
    first, second = lesson().phases[:2]
    tab = visit("lesson", id=LESSON, block="shapes")
    assert first.title in words(tab)
    tab.button("phase-on").click().run()
    assert second.title in words(tab)
    tab.button("phase-back").click().run()
    assert first.title in words(tab)


def test_errors_are_found_by_a_word_of_their_message(visit: Visit) -> None:
    tab = visit("lesson", id=LESSON, block="errors")
    everything = len(tab.expander)
    assert everything == len(lesson().errors) >= 8
    tab.text_input("errors-search").set_value("RuntimeError").run()
    assert 0 < len(tab.expander) < everything
    tab.text_input("errors-search").set_value("такого слова нет").run()
    assert "Ничего похожего" in words(tab)


def test_a_finished_block_counts_towards_the_way_left(visit: Visit) -> None:
    before = lesson().core_minutes
    here = lesson().block(block_of("first-guess"))
    question = lesson().question("first-guess")
    assert here is not None
    assert question is not None
    tab = visit("lesson", id=LESSON, block=here.id)
    tab.radio("input-first-guess-").set_value(next(option.text for option in question.options if option.right))
    tab.button_group("confidence-first-guess").set_value("think").run()
    tab.run()
    left = before - here.minutes
    assert f"осталось {left}" in tab.get("progress")[0].proto.text


def test_a_block_of_myths_is_done_when_each_has_been_guessed(visit: Visit) -> None:
    everything, myths = lesson(), lesson().block("myths")
    assert myths is not None
    tab = visit("lesson", id=LESSON, block="myths")
    for myth in everything.myths[:-1]:
        tab.button(f"guess-{myth.id}-0").click().run()
    tab.run()
    assert f"осталось {everything.core_minutes}" in tab.get("progress")[0].proto.text
    tab.button(f"guess-{everything.myths[-1].id}-0").click().run()
    tab.run()
    assert f"осталось {everything.core_minutes - myths.minutes}" in tab.get("progress")[0].proto.text


def test_practice_is_done_when_its_exercises_are_solved(visit: Visit, own_data: Settings) -> None:
    practice = lesson().block("practice")
    assert practice is not None
    tab = visit("lesson", id=LESSON, block="practice")
    stored = record.load(lesson())
    assert not stored.finished(practice)
    database = Database(own_data.database)
    for slug in ("lora-linear", "lora-params", "rank-for-energy"):
        sent = submissions.submit(database, LOCAL, slug, b"x = 1", "solution.py")
        submissions.store_verdict(database, sent.id, Verdict(slug, Outcome.PASSED, "Принято."))
    assert record.load(lesson()).finished(practice)
    tab.run()
    assert not tab.exception
