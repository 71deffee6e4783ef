"""A small course for tests of reports and of the sample class."""

from __future__ import annotations

from progress.catalogue import (
    Catalogue,
    CheckEntry,
    Example,
    ExerciseEntry,
    ItemEntry,
    LessonEntry,
    Proof,
    QuestionEntry,
    WrongAnswer,
)

KINDS = ("single", "number", "order", "several", "predict", "match")
PRODUCED = {"number", "order", "match"}


def question(number: int) -> QuestionEntry:
    wrong = WrongAnswer({"chosen": "мимо"}, f"MIS_{number % 3}"), WrongAnswer({"chosen": "рядом"})
    return QuestionEntry(f"q{number}", KINDS[number % len(KINDS)], {"chosen": "верно"}, wrong, f"Вопрос {number}?")


def item(number: int) -> ItemEntry:
    first, second = question(number), question(number + 1)
    quiz = tuple(Proof(f"quiz:{one.id}", one.kind, one.kind in PRODUCED) for one in (first, second))
    code = (Proof.by_code("exercise:lora-linear/scale"),) if number % 3 == 0 else ()
    return ItemEntry(f"i{number}", f"Понимаю {number}", quiz + code)


QUESTIONS = tuple(question(number) for number in range(12))
LESSON = LessonEntry(
    "lora-math",
    "LoRA: математика",
    blocks=("why", "shapes", "scale", "start", "merge", "count"),
    items=tuple(item(number) for number in range(8)),
    questions=QUESTIONS,
)
CHECKS = (
    CheckEntry("start", "В начале слой совпадает с базовым", "lora-init", 2, "Чем заполнена B?", "B_RANDOM_INIT"),
    CheckEntry("scale", "Масштаб α/r", "lora-scale", 1.5, "Вспомните формулу.", "FORGETS_SCALE"),
)
SOLUTION = Example('"""Решение."""\n\n\nclass LoRALinear:\n    scale = 2.0\n')
MISTAKES = (
    Example(
        '"""B заполнена случайно: слой с самого начала не равен базовому."""\n\n\nclass LoRALinear:\n    scale = 2\n'
    ),
    Example('"""Забыт множитель α/r."""\n\n# FORGETS_SCALE\nclass LoRALinear:\n    scale = 1\n'),
)
LINEAR = ExerciseEntry("lora-linear", "LoRALinear с нуля", "lora-math", CHECKS, SOLUTION, MISTAKES)
PARAMS = ExerciseEntry("lora-params", "Сколько параметров", "lora-math", CHECKS[:1], SOLUTION, MISTAKES)
CATALOGUE = Catalogue(
    (LESSON,), (LINEAR, PARAMS), {"B_RANDOM_INIT": "B заполняют случайно", "MIS_1": "α умножает, а не делится"}
)
