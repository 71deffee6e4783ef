"""The exercise page: what a learner sees before, while and after a grading. Verdicts here come from the store."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

import settings
from graders.exercise import load
from graders.protocol import Check, Outcome, Trial, Verdict
from progress import learning, submissions, trials
from progress.database import Database
from progress.identity import LOCAL

SLUG = "lora-linear"
Visit = Callable[..., AppTest]


def words(tab: AppTest) -> str:
    elements = (*tab.markdown, *tab.caption, *tab.error, *tab.warning, *tab.info, *tab.success, *tab.code)
    return "\n".join(str(element.value) for element in elements).replace("\u00a0", " ")


def graded(database: Database, outcome: Outcome, **check: str) -> submissions.Submission:
    sent = submissions.submit(database, LOCAL, SLUG, b"class LoRALinear: ...\n")
    passed = outcome is Outcome.PASSED
    checks = (Check("scale", "Масштаб α/r", "scale", 2, 2 if passed else 0, outcome, **check),)
    return submissions.store_verdict(database, sent.id, Verdict(SLUG, outcome, "Итог одной фразой.", checks))


def test_an_unknown_exercise_gets_one_sentence_and_a_way_back(visit: Visit) -> None:
    tab = visit("exercise", id="no-such")
    assert not tab.exception
    assert "Такого упражнения нет" in words(tab)


def test_without_an_id_the_page_lists_every_exercise(visit: Visit) -> None:
    tab = visit("exercise")
    assert not tab.exception
    assert tab.title[0].value == "Упражнения"
    assert words(tab).count("Ещё не решалось") == 3


def test_a_newcomer_sees_statement_starter_and_what_to_do(visit: Visit) -> None:
    tab = visit("exercise", id=SLUG)
    assert not tab.exception
    assert "здесь появится разбор" in words(tab)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    assert "class LoRALinear" in tab.text_area[0].value


def test_a_stored_draft_is_what_the_editor_opens_with(visit: Visit, own_data: settings.Settings) -> None:
    learning.save_draft(Database(own_data.database), LOCAL, SLUG, "# мой черновик\n")
    tab = visit("exercise", id=SLUG)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    assert tab.text_area[0].value == "# мой черновик\n"


def test_the_plain_field_stores_what_was_typed(visit: Visit, own_data: settings.Settings) -> None:
    tab = visit("exercise", id=SLUG)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    tab.text_area[0].set_value("x = 1\n").run()
    stored = learning.draft(Database(own_data.database), LOCAL, SLUG)
    assert stored is not None
    assert stored.source == "x = 1\n"


def test_submitting_stores_the_row_before_anything_else_and_says_that_it_waits(
    visit: Visit, own_data: settings.Settings
) -> None:
    tab = visit("exercise", id=SLUG)
    tab.toggle(key=f"plain-{SLUG}").set_value(True).run()
    tab.text_area[0].set_value("class LoRALinear: pass\n").run()
    tab.button(key=f"plain-submit-{SLUG}").click().run()
    assert not tab.exception
    sent = submissions.attempts(Database(own_data.database), LOCAL, SLUG)
    assert [one.source for one in sent] == [b"class LoRALinear: pass\n"]
    assert any("Проверяю" in status.label or "очереди" in status.label for status in tab.status)


def test_a_failed_check_shows_message_expected_got_and_hint(visit: Visit, own_data: settings.Settings) -> None:
    graded(
        Database(own_data.database),
        Outcome.FAILED,
        message="Ответ в 2 раза меньше: похоже, забыт множитель.",
        expected="2.0",
        got="1.0",
        hint="Где α/r?",
    )
    shown = words(visit("exercise", id=SLUG))
    for piece in ("Пока неверно", "Масштаб α/r", "похоже, забыт множитель", "2.0", "1.0", "Где α/r?"):
        assert piece in shown


def test_what_the_learner_wrote_is_shown_inert(visit: Visit, own_data: settings.Settings) -> None:
    hostile = "<img src=x onerror=alert(1)> **жирно** [ссылка](https://example.org) :red[цвет] $x$"
    graded(Database(own_data.database), Outcome.FAILED, message=hostile, traceback=hostile)
    tab = visit("exercise", id=SLUG)
    assert any(code.value == hostile for code in tab.code)
    for element in (*tab.markdown, *tab.warning, *tab.error):
        assert "<img" not in element.value.replace("\\<img", "")
        assert "**жирно**" not in element.value
        assert "](https" not in element.value.replace("\\]\\(https", "")


def test_success_and_history_show_points_and_code(visit: Visit, own_data: settings.Settings) -> None:
    database = Database(own_data.database)
    graded(database, Outcome.FAILED)
    sent = submissions.submit(database, LOCAL, SLUG, b"second = True\n")
    check = Check("scale", "Масштаб α/r", "scale", 2, 2, Outcome.PASSED)
    submissions.store_verdict(database, sent.id, Verdict(SLUG, Outcome.PASSED, "Все проверки пройдены.", (check,)))
    tab = visit("exercise", id=SLUG)
    assert "2 попытки" in words(tab)
    assert "Все проверки пройдены" in tab.success[0].value
    assert {"second = True", "class LoRALinear: ..."} <= {code.value for code in tab.code}


def test_our_own_fault_says_so_and_charges_nothing(visit: Visit, own_data: settings.Settings) -> None:
    database = Database(own_data.database)
    sent = submissions.submit(database, LOCAL, SLUG, b"x = 1\n")
    submissions.store_verdict(database, sent.id, Verdict(SLUG, Outcome.INFRA_ERROR, "Песочница не запустилась."))
    shown = words(visit("exercise", id=SLUG))
    assert "Сбой на нашей стороне" in shown
    assert "Попытка не засчитана" in shown
    assert "Ещё не решалось" in shown


def test_a_trials_answer_survives_a_reload(visit: Visit, own_data: settings.Settings) -> None:
    database = Database(own_data.database)
    number = trials.create_trial(database, LOCAL, SLUG, b"x = 1\n", "x")
    trials.store_trial(database, number, Trial(Outcome.PASSED, value="1", output="привет\n", seconds=0.1))
    tab = visit("exercise", id=SLUG)
    assert {"1", "привет"} <= {code.value for code in tab.code}
    assert "Попытка не засчитана" in words(tab)


def test_hints_open_one_by_one_and_stay_open(visit: Visit, own_data: settings.Settings) -> None:
    tab = visit("exercise", id=SLUG)
    assert not any("Подсказка 1" in expander.label for expander in tab.expander)
    tab.button(key=f"hint-{SLUG}").click().run()
    many = len(load(own_data.exercises_dir / SLUG).hints)
    assert [e.label for e in tab.expander if "Подсказка" in e.label] == [f"Подсказка 1 из {many}"]
    assert learning.hints(Database(own_data.database), LOCAL, SLUG) == {1}
    assert any("Подсказка 1" in expander.label for expander in visit("exercise", id=SLUG).expander)
