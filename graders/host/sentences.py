"""What a learner reads for each way a check can end, in Russian. Leaves out mistakes that a check words itself."""

from __future__ import annotations

import signal
from typing import Any

from common import numbers
from graders.exercise import Exercise, nearest
from graders.protocol import Outcome

ALL_PASSED = "Все проверки пройдены."
EMPTY = "Файл пустой: напишите решение и отправьте ещё раз."
UNTOUCHED = "Это заготовка без изменений: замените в ней raise NotImplementedError своим решением."
INFRA = "Проверить не удалось: сбой на нашей стороне."
UNKNOWN = "Такого упражнения нет."
NOT_RUN = "Проверка не дала ответа: решение оборвалось раньше."

_GONE = {
    "timeout": (Outcome.TIMEOUT, "Решение не уложилось во время: {seconds}. Проверьте, нет ли бесконечного цикла."),
    "memory": (Outcome.MEMORY, "Решению не хватило памяти: больше {memory} занимать нельзя."),
    "output": (Outcome.CRASHED, "Решение печатает слишком много. Уберите лишние print и отправьте ещё раз."),
}
_ERRORS = {
    "NotImplementedError": "Эта часть ещё не написана: код остановился на NotImplementedError.",
    "SystemExit": "Код вызвал exit() и остановился. Верните результат через return.",
    "KeyboardInterrupt": "Код остановил сам себя (KeyboardInterrupt).",
    "EOFError": "Код ждёт ввода с клавиатуры, а здесь её нет: уберите input().",
    "RecursionError": "Функция вызывает сама себя без конца (RecursionError).",
}
_NETWORK = (
    "Network is unreachable",
    "name resolution",
    "Name or service not known",
    "offline mode",
    "outgoing traffic",
)
_SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
_NO_MEMORY = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


def explain(found: dict[str, Any], exercise: Exercise) -> tuple[Outcome, str]:
    """The outcome and the sentence for what the judge found (``graders.host.judge.found``)."""
    kind = found.get("kind")
    if kind == "gone":
        return _gone(found, exercise)
    if kind == "error":
        return _error(found, exercise)
    if kind == "missing":
        return Outcome.FAILED, _missing(str(found.get("name")), [str(name) for name in found.get("names", [])])
    if kind == "refused":
        return Outcome.PROTOCOL, f"Ответ нельзя сравнить: {found.get('sentence')}. Верните обычные числа и тензоры."
    if kind == "protocol":
        return Outcome.PROTOCOL, (
            "Проверка ждала ответа функции, а пришло другое. Оставьте в решении только функции, которые его возвращают."
        )
    if kind == "assertion" and found.get("sentence"):
        return Outcome.FAILED, str(found["sentence"])
    if kind == "unforeseen":
        return Outcome.FAILED, "Проверка не смогла разобрать ответ: он не того вида."
    return Outcome.FAILED, "Результат не такой, какой нужен."


def _gone(found: dict[str, Any], exercise: Exercise) -> tuple[Outcome, str]:
    why, code = found.get("why"), found.get("code")
    if why in _GONE:
        outcome, sentence = _GONE[why]
        if found.get("never"):
            return outcome, "До этой проверки дело не дошло: решение остановили раньше."
        seconds, memory = numbers.duration(exercise.seconds), numbers.size(exercise.memory, 0, binary=True)
        return outcome, sentence.format(seconds=seconds, memory=memory)
    if code == -signal.SIGKILL:
        return Outcome.CRASHED, "Решение остановила операционная система: возможно, не хватило памяти."
    if type(code) is int and code < 0:
        return Outcome.CRASHED, f"Программа упала с сигналом {_signal(-code)}."
    return Outcome.CRASHED, "Программа завершила сама себя посреди проверки. Уберите exit() и os._exit()."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _error(found: dict[str, Any], exercise: Exercise) -> tuple[Outcome, str]:
    kind, text, line = str(found.get("type")), str(found.get("message")), found.get("line")
    cell = f" ({found['file']})" if str(found.get("file")).startswith("ячейка") else ""
    place = f" в строке {line}{cell}" if line else ""
    if kind == "MemoryError" or any(mark in text for mark in _NO_MEMORY):
        return Outcome.MEMORY, _gone({"why": "memory"}, exercise)[1]
    if kind in _SYNTAX:
        return Outcome.FAILED, f"Синтаксическая ошибка{place}: {text}."
    if found.get("signature"):
        return Outcome.FAILED, f"Вызов не подошёл к параметрам {found['signature']}: {text}."
    if any(mark in text for mark in _NETWORK):
        return Outcome.FORBIDDEN, f"Код обратился к сети{place}, а в песочнице её нет: всё нужное уже под рукой."
    if "Read-only file system" in text:
        return (
            Outcome.FORBIDDEN,
            f"Код пишет туда, где только чтение{place}. Временные файлы создавайте модулем tempfile.",
        )
    if kind in _ERRORS:
        return Outcome.FAILED, _ERRORS[kind]
    if kind in {"ModuleNotFoundError", "ImportError"}:
        return Outcome.FAILED, f"Импорт не удался{place}: {text}. В песочнице есть torch, transformers, peft и numpy."
    return Outcome.FAILED, f"Код остановился с ошибкой {kind}{place}: {text}"


def _missing(name: str, names: list[str]) -> str:
    near = nearest(name, names)
    tail = f" Похожее имя у вас есть: {near}." if near else ""
    return f"В решении нет имени {name}.{tail} Имена из заготовки менять нельзя."
