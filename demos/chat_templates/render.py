"""A chat as a model gets it: the template's text, its tokens, which of them are learned from, BOS counted.

Tokens are the bundled tokenizer's; with ``eyes="family"`` a family's marks stay whole, as in its own tokenizer, and the
words between them are still cut as the bundled model cuts them. Loss masks are those of trl's ``assistant_only_loss``
and of its prompt-completion data. Leaves out what a wrong template does to answers (``wrong``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import Any

from demos.chat_templates import environment, families
from demos.chat_templates.environment import Rendered, Turn
from demos.chat_templates.families import Family
from demos.finetuning import vocabulary
from demos.finetuning.formats import ROLES
from demos.finetuning.vocabulary import Token
from demos.params import Checked, ParamsError, parameter

MOST_TURNS, LONGEST_TURN = 8, 1000
LONGEST_TEMPLATE = 6000
DEFAULT = (
    {"role": "system", "content": "отвечай точно."},
    {"role": "user", "content": "переведи: кот видит дом"},
    {"role": "assistant", "content": "the cat sees the house"},
)
LOSSES = {
    "assistant": "только ответы ассистента",
    "completion": "только последний ответ",
    "all": "весь текст",
}
EYES = {"family": "как у своего семейства", "course": "глазами мини-переводчика"}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A chat and how to write it down."""

    family: str = parameter("llama3", "Шаблон", words=families.TITLES)
    messages: str = parameter(
        json.dumps(DEFAULT, ensure_ascii=False), "Сообщения", longest=12_000, note="JSON: список из role и content"
    )
    prompt: bool = parameter(False, "Приглашение к ответу", note="add_generation_prompt: для ответа, не для обучения")
    bos: bool = parameter(False, "Токенизатор тоже ставит BOS", note="второй токен начала портит первый шаг модели")
    loss: str = parameter("assistant", "В потери входит", words=LOSSES)
    eyes: str = parameter("family", "Токены", words=EYES)
    own: str = parameter("", "Свой шаблон (Jinja)", longest=LONGEST_TEMPLATE, note="пусто — шаблон семейства")


@dataclass(frozen=True, slots=True)
class Result:
    """``dropped``: numbers (from 1) of messages left out; ``added``: what the template says of its own at the start."""

    family: str
    title: str
    origin: str
    template: str
    text: str
    tokens: tuple[Token, ...]
    trained: int
    bos: int
    dropped: tuple[int, ...]
    added: str
    marked: bool  # whether the template says where the assistant speaks
    injected: tuple[str, ...]  # marks that stand in the messages themselves
    broken_marks: int  # tokens that the marks take where they are not whole
    loss: str

    @property
    def special(self) -> int:
        """How many tokens are marks."""
        return sum(token.special for token in self.tokens)


def render(params: Params) -> Result:
    """The chat in the template.

    Raises:
        ParamsError: messages that are none, a template that refuses them or has a mistake.
    """
    family, turns = families.get(params.family, params.own), read_turns(params.messages)
    how = environment.render_foreign if params.own else environment.render
    write = partial(how, family.template, tokens=family.tokens)
    made = write(turns, prompt=params.prompt)
    special = family.marks if params.eyes == "family" else ()
    encoded = vocabulary.encode(made.text, special)
    if params.loss == "assistant":
        mask = spoken(encoded, made.spans)
    elif params.loss == "completion" and turns[-1]["role"] != "assistant":
        mask = [False] * len(encoded.ids)
    elif params.loss == "completion":
        asked = write(turns[:-1], prompt=True).text if turns[:-1] else ""
        mask = _after(vocabulary.encode(asked, special).ids, encoded.ids)
    else:
        mask = [True] * len(encoded.ids)
    tokens = _tokens(encoded.ids, mask, special)
    if params.bos and family.bos:
        tokens = (*_tokens(vocabulary.encode(family.bos, special).ids, None, special), *tokens)
    return Result(
        family=family.name,
        title=f"{family.title}, шаблон свой" if params.own else family.title,
        origin=family.origin,
        template=family.template,
        text=made.text,
        tokens=tokens,
        trained=sum(token.trained for token in tokens),
        bos=_bos(family, made, again=params.bos),
        dropped=tuple(place for place, turn in enumerate(turns, 1) if turn["content"].strip() not in made.text),
        added=_added(family, turns, made),
        marked="generation" in family.template and bool(made.spans),
        injected=tuple(mark for mark in family.marks if any(mark in turn["content"] for turn in turns)),
        broken_marks=_broken(family, made),
        loss=params.loss,
    )


def read_turns(text: str) -> list[Turn]:
    """Messages from JSON.

    Raises:
        ParamsError: it is no list of messages, too many, too long.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ParamsError('Сообщения: нужен JSON вида [{"role": "user", "content": "…"}].') from None
    if not isinstance(said, list) or not 1 <= len(said) <= MOST_TURNS:
        raise ParamsError(f"Сообщения: нужен список, в нём от 1 до {MOST_TURNS} сообщений.")
    return [_turn(item, place) for place, item in enumerate(said, 1)]


def _turn(item: Any, place: int) -> Turn:
    if not isinstance(item, dict) or item.get("role") not in ROLES or not isinstance(item.get("content"), str):
        raise ParamsError(f"Сообщение {place}: нужны role ({', '.join(ROLES)}) и content — строка.")
    text = item["content"]
    if len(text) > LONGEST_TURN:
        raise ParamsError(f"Сообщение {place}: больше {LONGEST_TURN} знаков.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ParamsError(f"Сообщение {place}: половина символа (\\ud800–\\udfff без пары), уберите её.")
    return {"role": item["role"], "content": text}


def _after(asked: Sequence[int], whole: Sequence[int]) -> list[bool]:
    """From where the question alone and the whole chat part, by trl's rule (``common_prefix_length``)."""
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(asked, whole, strict=False))))
    return [place >= same for place in range(len(whole))]


def spoken(encoded: Any, spans: Sequence[tuple[int, int]]) -> list[bool]:
    """From characters to tokens by transformers' rule: from the first token of the span to the last."""
    mask = [False] * len(encoded.ids)
    for start, end in spans:
        first = encoded.char_to_token(start)
        if first is None:
            break
        last = encoded.char_to_token(end - 1)
        stop = last + 1 if last else len(mask)
        mask[first:stop] = [True] * (stop - first)
    return mask


def _tokens(ids: Sequence[int], mask: Sequence[bool] | None, special: tuple[str, ...]) -> tuple[Token, ...]:
    known = vocabulary.marks(special)
    plain = [Token(one, vocabulary.show(one, special), one in known) for one in ids]
    return tuple(replace(token, trained=on) for token, on in zip(plain, mask or [False] * len(plain), strict=True))


def _bos(family: Family, made: Rendered, *, again: bool) -> int:
    if not family.bos:
        return 0
    written = made.text.startswith(family.bos) + made.text.startswith(2 * family.bos)
    return written + again


def _added(family: Family, turns: Sequence[Turn], made: Rendered) -> str:
    """Words of the template itself before the first message, its marks and names of roles aside."""
    start = made.text.find(turns[0]["content"].strip())
    words = made.text[: max(start, 0)]
    for mark in (*family.marks, "[INST]", *ROLES):
        words = words.replace(mark, "")
    return words.strip()


def _broken(family: Family, made: Rendered) -> int:
    """How many tokens the bundled model sees where the family sees marks that the bundled model does not know."""
    whole, cut = vocabulary.encode(made.text, family.marks), vocabulary.encode(made.text)
    return max(0, len(cut.ids) - len(whole.ids))
