"""What the base model is taught: translation both ways and ten small skills, as chats with one right answer.

Every symbol of ASCII and every role of the chat template occurs here: what never occurred in pre-training LoRA cannot
teach later, because it does not touch the embeddings. Leaves out sentences (``grammar``) and training
(``scripts/pretrain.py``).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from demos.finetuning import grammar
from demos.finetuning.grammar import Sentence, Split

TURNS, SYSTEM = 0.05, 0.08
"""Shares of chats with an earlier exchange and with a system message."""
SYSTEM_TEXTS = ("отвечай точно.", "ты переводчик.", "отвечай кратко.", "ты помощник.", "делай, что просят.")
OTHER_WORDS = tuple(
    (  # noqa: SIM905 - eighty quotes would hide the words
        "name arguments tool call search weather calculator date convert query city value unit result answer true "
        "false null en ru who what words text role user assistant system function parameters json list from to "
        "пожалуйста спасибо извините здравствуйте будьте добры уважаемый привет вы знаю не ответ погода курс дата "
        "калькулятор поиск жалоба заказ просьба отзыв запрос перевод инструмент урок ранг альфа слой вес градиент "
        "квант да нет или если это"
    ).split()
)
"""Words that stand in no sentence but that a tuning task may want to hear or to say."""
LETTERS = "абвгдежзиклмнопрстуфхцшэюя"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat; roles are those of the chat template: system, user, assistant, tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """A chat that ends with the assistant's one right answer."""

    skill: str
    messages: tuple[Message, ...]

    @property
    def answer(self) -> str:
        """What the assistant has to say."""
        return self.messages[-1].content

    @property
    def prompt(self) -> tuple[Message, ...]:
        """Everything before the answer."""
        return self.messages[:-1]


Pair = tuple[tuple[Message, ...], str]


def draw(random: Random, split: Split, skill: str = "", *, late: bool = False) -> Example:
    """One example; without ``skill`` the skills come in their training shares, early or ``late`` ones."""
    shares = LATE_SHARES if late else SHARES
    name = skill or random.choices(tuple(SKILLS), tuple(shares[name] for name in SKILLS))[0]
    prompt, answer = SKILLS[name](random, split)
    if split == "train":
        prompt = (*_before(random), *prompt)
    return Example(name, (*prompt, Message("assistant", answer)))


def instruction(name: str, text: str) -> str:
    """What the user writes: «переведи: …». Tuning tasks ask in the same words."""
    return f"{INSTRUCTIONS[name]}: {text}"


INSTRUCTIONS = MappingProxyType(
    {
        "to_english": "переведи",
        "to_russian": "translate",
        "repeat": "повтори",
        "count": "сколько слов",
        "add": "сложи",
        "reverse": "наоборот",
    }
)


def _before(random: Random) -> tuple[Message, ...]:
    system = (Message("system", random.choice(SYSTEM_TEXTS)),) if random.random() < SYSTEM else ()
    if random.random() >= TURNS:
        return system
    earlier = draw_short(random)
    return (*system, *earlier.messages)


def draw_short(random: Random) -> Example:
    """A short exchange that may stand before another."""
    name = random.choice(("add", "repeat"))
    if name == "add":
        prompt, answer = _add(random, "train")
    else:
        word = _word(random)
        prompt, answer = _user(instruction("repeat", word)), word
    return Example(name, (*prompt, Message("assistant", answer)))


def _user(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


def _to_english(random: Random, split: Split) -> Pair:
    drawn = grammar.sentence(random, split)
    return _user(instruction("to_english", drawn.ru)), drawn.en


def _to_russian(random: Random, split: Split) -> Pair:
    drawn = grammar.sentence(random, split)
    return _user(instruction("to_russian", drawn.en)), drawn.ru


def _repeat(random: Random, split: Split) -> Pair:
    drawn = grammar.sentence(random, split)
    text = drawn.ru if random.random() < 0.5 else drawn.en
    return _user(instruction("repeat", text)), text


def _symbols(random: Random, _split: Split) -> Pair:
    """Strings of words, digits, letters and every ASCII symbol, glued as code and JSON are."""
    pieces = [_piece(random) for _ in range(random.randint(2, 8))]
    text = random.choice(("", "", " ")).join(pieces).strip() or "{"
    return _user(instruction("repeat", text)), text


def _piece(random: Random) -> str:
    mark = random.choice(string.punctuation)
    return random.choice(
        (
            lambda: mark,
            lambda: mark + random.choice(string.punctuation),
            lambda: _word(random),
            lambda: str(random.randint(0, 999)),
            lambda: f"{mark}{_word(random)}{mark}",
            lambda: f'"{_word(random)}": "{_word(random)}"',
            lambda: f'{{"{_word(random)}": {random.randint(0, 99)}}}',
            lambda: '", "',
            lambda: "".join(random.choices(string.ascii_letters, k=random.randint(1, 3))),
            lambda: "".join(random.choices(LETTERS + LETTERS.upper(), k=random.randint(1, 3))),
            lambda: f"{_word(random)}_{_word(random)}",
        )
    )()


def _count(random: Random, split: Split) -> Pair:
    drawn = grammar.sentence(random, split)
    text = drawn.ru if random.random() < 0.7 else drawn.en
    return _user(instruction("count", text)), str(len(text.split()))


def _add(random: Random, split: Split) -> Pair:
    while True:
        one, other = random.randint(0, 99), random.randint(0, 99)
        if grammar.is_held_out(str(one), str(other)) == (split == "test"):
            return _user(instruction("add", f"{one} и {other}")), str(one + other)


def _reverse(random: Random, split: Split) -> Pair:
    words = _some_words(random, split, random.randint(2, 4))
    return _user(instruction("reverse", " ".join(words))), " ".join(reversed(words))


def _pick(random: Random, split: Split) -> Pair:
    words = _some_words(random, split, random.randint(3, 6))
    number = random.randint(1, len(words))
    return _user(f"слово {number}: {' '.join(words)}"), words[number - 1]


def _ask(random: Random, split: Split) -> Pair:
    drawn = grammar.sentence(random, split)
    question, answer = _question(random, drawn)
    return _user(f"{question} {drawn.ru}"), answer


def _question(random: Random, drawn: Sentence) -> tuple[str, str]:
    known = [("кто?", drawn.subject.ru), ("что делает?", drawn.verb)]
    if drawn.object:
        known.append(("кого или что?", drawn.object.ru))
    if drawn.place:
        known.append(("где?", drawn.place))
    return random.choice(known)


def _pattern(random: Random, split: Split) -> Pair:
    """Two or three examples of a change that has no name, then a word to change in the same way."""
    before, after = random.choice(_FRAMES)
    words = _some_words(random, split, random.randint(3, 4))
    shown = [f"{word} = {before}{word}{after}" for word in words[:-1]]
    return _user(f"{'; '.join(shown)}; {words[-1]} ="), f"{before}{words[-1]}{after}"


_FRAMES = (
    *(("", mark) for mark in "!?.)*+"),
    *(("(", ")"), ("[", "]"), ("<", ">"), ('"', '"'), ("#", ""), ("не ", ""), ("", " да")),
)


def _passage(random: Random, split: Split) -> Pair:
    """Two sentences and a question about one of them. Now and then the text comes from a tool."""
    sentences = [grammar.sentence(random, split) for _ in range(2)]
    about = random.choice(sentences)
    text = ". ".join(item.ru for item in sentences) + "."
    question = f"кто {about.verb}?"
    answer = about.subject.ru
    if sentences[0].verb == sentences[1].verb:
        return _passage(random, split)
    if random.random() < 0.3:
        return (Message("user", question), Message("tool", text)), answer
    return _user(f"текст: {text} {question}"), answer


def _look_up(random: Random, split: Split) -> Pair:
    """A small table and one of its keys."""
    words = _some_words(random, split, random.randint(2, 4))
    values = random.sample(range(10, 100), len(words))
    chosen = random.randrange(len(words))
    table = ", ".join(f"{word} = {value}" for word, value in zip(words, values, strict=True))
    return _user(f"таблица: {table}. {words[chosen]}?"), str(values[chosen])


def _some_words(random: Random, split: Split, count: int) -> list[str]:
    """Different nouns; whether the first two may stand beside each other tells training from testing."""
    while True:
        nouns = random.sample(grammar.lexicon()["nouns"], count)
        if grammar.is_held_out(nouns[0]["ru"], nouns[1]["ru"]) == (split == "test"):
            return [str(noun["ru"]) for noun in nouns]


def _word(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(OTHER_WORDS)
    word: str = random.choice(grammar.lexicon()["nouns"])[random.choice(("ru", "en"))]
    return word


SKILLS: Mapping[str, Callable[[Random, Split], Pair]] = MappingProxyType(
    {
        "to_english": _to_english,
        "to_russian": _to_russian,
        "repeat": _repeat,
        "symbols": _symbols,
        "count": _count,
        "add": _add,
        "reverse": _reverse,
        "pick": _pick,
        "ask": _ask,
        "pattern": _pattern,
        "passage": _passage,
        "look_up": _look_up,
    }
)
"""Skill → prompt and answer."""

SHARES: Mapping[str, float] = MappingProxyType(
    {
        "to_english": 24,
        "to_russian": 30,
        "repeat": 4,
        "symbols": 8,
        "count": 4,
        "add": 5,
        "reverse": 4,
        "pick": 3,
        "ask": 5,
        "pattern": 4,
        "passage": 5,
        "look_up": 4,
    }
)
"""Shares of the training examples, by weight."""

LATE_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "to_english": 14,
        "to_russian": 18,
        "repeat": 2,
        "symbols": 8,
        "count": 8,
        "add": 16,
        "reverse": 6,
        "pick": 4,
        "ask": 4,
        "pattern": 4,
        "passage": 10,
        "look_up": 10,
    }
)
"""Shares of the last part of training: more of what is learned slowly."""
