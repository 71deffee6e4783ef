"""The instructor's pages: an empty course, the invented class, one learner's work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import settings
from graders.protocol import Check, Outcome, Verdict
from progress import roster, sample, submissions, workers
from progress.database import Database
from progress.identity import LOCAL, Identity
from ui.widgets import similar

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]


def words(tab: AppTest) -> str:
    elements = (*tab.markdown, *tab.caption, *tab.info, *tab.success, *tab.subheader, *tab.title)
    return "\n".join(str(element.value) for element in elements)


@pytest.fixture
def with_class(visit: Visit) -> AppTest:
    tab = visit("instructor")
    add = next(button for button in tab.button if button.label == "Добавить пример")
    return add.click().run()


def test_an_empty_course_says_what_will_appear_here(visit: Visit) -> None:
    tab = visit("instructor")
    assert not tab.exception
    assert "Пока никто не занимался" in words(tab)


def test_the_invented_class_fills_every_part_and_leaves_on_request(
    with_class: AppTest, own_data: settings.Settings
) -> None:
    shown = words(with_class)
    assert not with_class.exception
    for part in ("Кому нужна помощь", "Чек-лист урока", "Упражнения", "Заблуждения группы", "(пример)"):
        assert part.replace("(", "\\(").replace(")", "\\)") in shown or part in shown
    assert len(roster.load(Database(own_data.database), LOCAL)) > 20
    remove = next(button for button in with_class.button if button.label == "Убрать пример")
    remove.click().run()
    assert not sample.present(Database(own_data.database))
    assert "Пока никто не занимался" in words(with_class)


def test_those_who_are_stuck_are_named_with_the_reason(with_class: AppTest) -> None:
    shown = words(with_class)
    assert "подряд" in shown
    assert "Ничего нового уже" in shown


def test_tables_can_be_downloaded(with_class: AppTest) -> None:
    labels = {element.proto.label for element in with_class.get("download_button")}
    assert {"Скачать чек-лист (CSV)", "Скачать результаты (CSV)", "Скачать заблуждения (CSV)"} <= labels


def test_one_learners_answers_and_code_are_shown(with_class: AppTest, visit: Visit) -> None:
    tab = visit("learner", id="sample-05")
    assert not tab.exception
    assert any("Ответы на вопросы" in expander.label for expander in tab.expander)
    assert any("попытка 1" in expander.label for expander in tab.expander)
    assert any("def " in code.value for code in tab.code)


def test_an_unknown_learner_gets_one_sentence_and_a_way_back(visit: Visit) -> None:
    tab = visit("learner", id="nobody")
    assert not tab.exception
    assert "Такого учащегося нет" in words(tab)


def press(tab: AppTest, label: str) -> AppTest:
    return next(button for button in tab.button if button.label == label).click().run()


def solve(database: Database, name: str, source: str, points: float = 1.0) -> None:
    who = Identity(name.lower(), name, instructor=False)
    sent = submissions.submit(database, who, "lora-params", source.encode())
    check = Check("t", "проверка", "c", 1, points, Outcome.PASSED if points else Outcome.FAILED)
    submissions.store_verdict(database, sent.id, Verdict("lora-params", check.outcome, "Итог.", (check,)))


@pytest.fixture
def copied(own_data: settings.Settings) -> str:
    """Anna's own work, Boris's copy of it under other names, Vera's independent one, and Gleb's that is no Python."""
    database = Database(own_data.database)
    original = (own_data.exercises_dir / "lora-params" / "solution.py").read_text()
    solve(database, "Анна", original)
    solve(database, "Борис", original.replace("hidden", "h").replace("queries", "q") + "# <b>моё</b>\n")
    solve(database, "Борис", "x = 'новее, но хуже'\n", points=0)
    solve(database, "Вера", (settings.ROOT / "tests" / "graders" / "similar" / "loop.py").read_text())
    solve(database, "Глеб*", "def f(:\n")
    return original


def test_a_copy_is_shown_beside_its_original_with_a_caution(visit: Visit, copied: str) -> None:
    tab = visit("instructor")
    assert "Похожие решения" in words(tab)
    assert "не приговор" in words(tab)
    assert not any("<b>моё</b>" in code.value for code in tab.code), "nothing is compared before it is asked for"
    tab = press(tab, "Сравнить решения")
    assert not tab.exception
    shown = words(tab)
    assert "Сравнили 4 решения: 1 похожая пара." in shown.replace("\u00a0", " ")
    assert "почти одинаковые" in shown
    assert "Не разобрано, посмотрите сами: Глеб\\*." in shown
    assert copied.strip() in {code.value for code in tab.code}
    assert any("<b>моё</b>" in code.value for code in tab.code)
    assert not any("новее, но хуже" in code.value for code in tab.code)
    assert "Задание короткое" not in shown


def test_the_class_of_the_example_can_be_compared(with_class: AppTest) -> None:
    tasks = with_class.selectbox(key="similar-exercise")
    tasks.select_index(tasks.options.index("Какой ранг нужен матрице"))
    tab = press(with_class, "Сравнить решения")
    assert not tab.exception
    assert "Задание короткое" in words(tab)
    assert len(tab.selectbox(key="similar-pair").options) <= similar.SHOWN


def test_a_single_solution_is_compared_with_nothing(visit: Visit, own_data: settings.Settings) -> None:
    solve(Database(own_data.database), "Анна", "x = 1\n")
    tab = visit("instructor")
    assert "Сравнивать пока нечего" in words(tab)
    assert not any(button.label == "Сравнить решения" for button in tab.button)


def test_the_walls_are_named_while_a_worker_lives(visit: Visit, own_data: settings.Settings) -> None:
    assert "песочнице" not in words(visit("instructor"))
    walls = {
        "ready": True,
        "tier": "A",
        "layers": ["bounds", "privileges", "новый"],
        "missing": [["cgroup", "не *отдан*"]],
    }
    workers.heartbeat(Database(own_data.database), "w", walls)
    tab = visit("instructor")
    (caption,) = (caption for caption in tab.caption if "песочнице" in caption.value)
    assert caption.value.replace("\\", "") == (
        "Код учеников выполняется в песочнице, ступень A: никаких прав, новый. "
        "Чего здесь нет: учёт памяти ядром (cgroup)."
    )
    assert caption.help == "- учёт памяти ядром \\(cgroup\\)\\: не \\*отдан\\*"


def test_walls_that_do_not_stand_are_said_aloud(visit: Visit, own_data: settings.Settings) -> None:
    workers.heartbeat(Database(own_data.database), "w", {"ready": False, "problem": "Изоляция недоступна: нет прав."})
    tab = visit("instructor")
    assert any("нет прав" in warning.value for warning in tab.warning)
