"""Examples to pack: lengths typed by hand («вопрос + ответ») or the tokens of a task of the course.

Leaves out packing itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from common import numbers
from demos.chat_templates import environment, families
from demos.chat_templates.render import spoken
from demos.finetuning import tasks, vocabulary
from demos.finetuning.tasks import Chat
from demos.params import ParamsError

OWN = "own"
MOST, LONGEST = 64, 2048
"""Examples, and tokens of one."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
END = "EOS"


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens as a learner reads them, and which belong to an answer; the last one is the end token."""

    tokens: tuple[str, ...]
    answer: tuple[bool, ...]


def typed(text: str) -> tuple[Example, ...]:
    """Examples of given lengths: «12+6, 8+3, 20»; one number is an answer without a question.

    Raises:
        ParamsError: anything else, too many or too long.
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    if not 1 <= len(parts) <= MOST:
        raise ParamsError(f"Длины: нужно от 1 до {MOST} примеров через запятую, например 12+6, 8+3.")
    return tuple(_typed(part, place) for place, part in enumerate(parts))


def _typed(part: str, place: int) -> Example:
    found = re.fullmatch(r"(?:(\d{1,5})\s*\+\s*)?(\d{1,5})", part)
    if found is None:
        raise ParamsError(f"Длины: «{part[:20]}» — не длина; пишите вопрос + ответ, например 12+6.")
    asked, said = int(found[1] or 0), int(found[2])
    if not said or asked + said > LONGEST:
        raise ParamsError(
            f"Длины: в «{part[:20]}» ответ должен быть не короче одного токена, а весь пример — не длиннее "
            f"{numbers.plural(LONGEST, 'токена', 'токенов', 'токенов')}."
        )
    name = LETTERS[place % 26] + (str(place // 26 + 1) if place >= 26 else "")
    words = tuple(f"{name}{number}" for number in range(1, asked + said))
    return Example((*words, END), (False,) * asked + (True,) * said)


def task(name: str, many: int) -> tuple[Example, ...]:
    """The first training examples of a task, in the bundled model's template and tokens."""
    return _task(name)[:many]


@lru_cache(maxsize=4)
def _task(name: str) -> tuple[Example, ...]:
    return tuple(_tokens(chat) for chat in tasks.build(name).train[:MOST])


def _tokens(chat: Chat) -> Example:
    family = families.FAMILIES["course"]
    turns = [{"role": item.role, "content": item.content} for item in chat]
    made = environment.render(family.template, turns, tokens=family.tokens, prompt=False)
    encoded = vocabulary.encode(made.text)
    return Example(tuple(map(vocabulary.show, encoded.ids)), tuple(spoken(encoded, made.spans)))
