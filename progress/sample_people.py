"""Who the invented class is: names, and the seven ways in which people go through a course. Pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Character:
    """How somebody learns. Shares are of one; days count back from now."""

    started: float  # days ago
    silent: float  # days since their last deed
    reach: float  # share of the course they have got through
    skill: float  # share of questions right on the first try
    reviews: float  # share of missed questions that they answer right a day later
    ticks: float  # share of checklist items that they tick
    failures: tuple[int, int]  # least and most failed attempts at an exercise
    finishes: float  # share of exercises begun that they solve in the end
    confidence: tuple[int, int, int]  # weights of guess, think, sure


STRONG = Character(20, 0.2, 1.0, 0.95, 1.0, 0.9, (0, 1), 1.0, (0, 3, 7))
STEADY = Character(18, 1.0, 0.75, 0.75, 0.7, 0.7, (1, 2), 0.9, (2, 6, 3))
MODEST = Character(16, 2.0, 0.9, 0.85, 0.9, 0.2, (0, 2), 0.9, (4, 5, 1))  # knows more than they tick
OVERCONFIDENT = Character(14, 0.5, 0.6, 0.35, 0.0, 1.0, (1, 2), 0.3, (0, 2, 8))  # ticks all, answers wrong
STRUGGLING = Character(15, 0.3, 0.6, 0.5, 0.3, 0.4, (3, 5), 0.0, (5, 4, 1))  # sends and sends
GONE = Character(21, 10.0, 0.3, 0.6, 0.0, 0.5, (0, 1), 0.0, (3, 4, 2))  # not seen for a week and more
NEW = Character(1.5, 0.1, 0.15, 0.7, 0.0, 0.3, (0, 0), 0.0, (3, 5, 2))

CLASS: tuple[tuple[str, Character], ...] = (
    ("Александра Белова", STRONG),
    ("Алексей Громов", STEADY),
    ("Алина Хасанова", MODEST),
    ("Анна Соколова", STRONG),
    ("Артём Ковалёв", OVERCONFIDENT),
    ("Булат Сафин", STEADY),
    ("Вера Никитина", STEADY),
    ("Григорий Левин", STRUGGLING),
    ("Дарья Журавлёва", STRONG),
    ("Денис Пак", GONE),
    ("Евгений Орлов", STEADY),
    ("Екатерина Миронова", MODEST),
    ("Иван Щербаков", STRUGGLING),
    ("Камила Ахметова", STEADY),
    ("Кирилл Воронцов", OVERCONFIDENT),
    ("Лев Абрамов", STRONG),
    ("Мария Тихонова", STEADY),
    ("Михаил Дьячков", GONE),
    ("Надежда Зуева", NEW),
    ("Ольга Черныш", STRUGGLING),
    ("Пётр Ефимов", STEADY),
    ("Роман Гусейнов", OVERCONFIDENT),
    ("София Крылова", NEW),
    ("Ярослава Мельник", GONE),
)
