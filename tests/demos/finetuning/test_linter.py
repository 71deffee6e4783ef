"""The linter: every fault is found where it is, and good data has none."""

from __future__ import annotations

import pytest

from demos.finetuning import linter, tasks
from demos.finetuning.linter import Finding, lint
from demos.finetuning.skills import Message
from demos.finetuning.tasks import Chat, Data


def chat(*said: str) -> Chat:
    """«u:вопрос», «a:ответ» …"""
    roles = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
    return tuple(Message(roles.get(text[:1], text[:1]), text[2:]) for text in said)


def good(count: int = 12, prefix: str = "") -> tuple[Chat, ...]:
    return tuple(chat(f"u:{prefix}вопрос {number}", f"a:ответ {number}") for number in range(count))


def only(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    return finding


@pytest.mark.parametrize(
    ("said", "kind", "level", "sentence"),
    [
        (chat(), "empty", "error", "нет ни одного сообщения"),
        (chat("u:да?"), "no_assistant", "error", "Нет ответа модели"),
        (chat("u:да?", "a:да", "u:точно?"), "last", "error", "не ответ модели"),
        (chat("u:да?", "s:отвечай точно", "a:да"), "system", "error", "system стоит в середине"),
        (chat("s:точно", "s:кратко", "u:да?", "a:да"), "system", "error", "оставьте одно"),
        (chat("u:да?", "u:точно?", "a:да"), "order", "error", "Два сообщения одной роли подряд"),
        (chat("u:да?", "s:", "a:"), "blank", "error", "пустое сообщение"),
        (chat("u: \n", "a:да"), "blank", "error", "пустое сообщение"),
        (chat("a:здравствуйте"), "order", "error", "начинается с ответа"),
        (chat("u:да?", "t:справка", "a:да"), "order", "warning", "без вызова"),
        (chat("b:да?", "a:да"), "role", "error", "Неизвестная роль «b»"),
        (chat("u:да?", "a:да<|end|><|user|>"), "special", "error", "служебная метка <|end|>"),
    ],
)
def test_a_faulty_example_is_found_in_its_place(said: Chat, kind: str, level: str, sentence: str) -> None:
    found = [item for item in lint([*good(), said]) if item.kind == kind]
    assert found[0].level == level
    assert (found[0].number, found[0].where) == (13, "Пример 13")
    assert sentence in found[0].text


def test_good_chats_of_every_shape_have_no_fault() -> None:
    shapes = [
        chat("s:точно", "u:да?", "a:да"),
        chat("u:один?", "a:да", "u:два?", "a:нет"),
        chat("u:дата?", "a:зову", "t:1.1.2026", "t:среда", "a:среда"),
    ]
    assert lint([*good(), *shapes]) == ()


def test_a_repeated_example_and_a_question_with_two_answers_name_the_first() -> None:
    again, other = chat("u:вопрос 3", "a:ответ 3"), chat("u:  ВОПРОС 5", "a:не знаю")
    one, two = lint([*good(), again, other])
    assert (one.kind, one.level, one.number) == ("duplicate", "warning", 13)
    assert "примера 4" in one.text
    assert (two.kind, two.number) == ("contradiction", 14)
    assert "примера 6" in two.text


def test_a_question_in_two_splits_is_a_leak_whatever_its_spaces_and_system_message() -> None:
    data = Data(good(), (chat("s:точно", "u:Вопрос  2", "a:ответ 2"),), good(3, "другой "))
    leak = only(lint(data))
    assert (leak.kind, leak.level, leak.split, leak.number) == ("leak", "error", "validation", 1)
    assert leak.where == "Пример 1 (проверка)"
    assert "примере 3 (обучение)" in leak.text


def test_an_example_is_too_long_by_whatever_is_counted() -> None:
    long = chat("u:вопрос", f"a:{'да ' * 30}")
    assert lint([*good(), long]) == ()
    found = only(lint([*good(), long], longest=25, count=lambda said: len(said[-1].content.split()), unit="слов"))
    assert (found.kind, found.level, found.number) == ("long", "error", 13)
    assert "30 слов при пределе 25" in found.text
    assert only(lint([*good(), long], longest=90)).text.startswith("Слишком длинно: 96 знаков")


def test_data_as_a_whole() -> None:
    def kinds(chats: tuple[Chat, ...]) -> set[tuple[str, str]]:
        return {(item.level, item.kind) for item in lint(chats) if not item.number}

    def answered(*answers: str) -> tuple[Chat, ...]:
        return tuple(chat(f"u:{number}", f"a:{answer}") for number, answer in enumerate(answers))

    assert kinds(()) == {("error", "none")}
    assert kinds(good(9)) == {("warning", "few")}
    assert kinds(answered(*["да"] * 12)) == {("error", "one_class")}
    assert kinds(answered(*["да"] * 11, "нет")) == {("warning", "skew")}
    assert kinds(answered(*["да"] * 8, *["нет"] * 4)) == set()
    assert lint(()) == (Finding("error", "none", "", 0, "Нет ни одного примера: добавьте вопросы с ответами."),)
    assert lint(())[0].where == "Данные"


def test_errors_come_first_and_numbers_may_be_lines_of_a_file() -> None:
    found = lint([chat("u:а", "a:б"), chat("u:а", "a:б"), chat("u:в")], lines=[2, 5, 9])
    assert [item.level for item in found] == ["error", "warning", "warning"]
    assert [item.where for item in found] == ["Строка 9", "Строка 5", "Файл"]
    assert "Повтор строки 2" in found[1].text


def test_a_skew_is_a_matter_of_training_examples() -> None:
    found = only(lint(tasks.build("intents_skewed")))
    assert (found.split, found.kind, found.where) == ("train", "skew", "Обучение")
    assert "92" in found.text


def test_characters_count_all_messages() -> None:
    assert linter.characters(chat("u:абв", "a:где!")) == 7
