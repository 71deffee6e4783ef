"""Where a recorded figure comes from, in one sentence: when, by what, with which seeds and libraries.

Leaves out gathering it (``demos.finetuning.measured``).
"""

from __future__ import annotations

from datetime import date, datetime

from common import numbers
from demos.finetuning.measured import Origin

MONTHS = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
SAID = ("torch", "transformers", "peft", "trl", "bitsandbytes")
"""Libraries that decide a run's numbers."""


def said(origin: Origin | None) -> tuple[str, ...]:
    """«Записано 28 ноября 2026 года …» as the remarks of a drawing; nothing when nothing is recorded."""
    if origin is None:
        return ()
    runs = numbers.plural(origin.recordings, "запуск", "запуска", "запусков")
    seeds = f"{'зерно' if len(origin.seeds) == 1 else 'зёрна'} {', '.join(map(str, origin.seeds))}"
    versions = ", ".join(f"{name} {number}" for name, number in origin.versions if name in SAID)
    machine = ", ".join(origin.processors)
    threads = ", ".join(numbers.plural(count, "поток", "потока", "потоков") for count in origin.threads)
    parts = [f"Записано {_days(origin)}", f"{runs}, {seeds}", ", ".join(origin.scripts), versions]
    parts += [f"{machine} ({threads})"] if machine and threads else []
    return (f"{'; '.join(part for part in parts if part)}.",)


def _days(origin: Origin) -> str:
    first, last = (datetime.fromisoformat(moment).date() for moment in (origin.first, origin.last))
    if first == last:
        return day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    return f"с {day(first)} по {day(last)}"


def day(day: date) -> str:
    """A date in words."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year} года"
