"""Jinja as transformers sets it up for chat templates: the same sandbox, filters and ``{% generation %}`` blocks.

``render`` runs a template of ours here; ``render_foreign`` runs somebody else's in a process that can be killed.
Source: transformers, utils/chat_template_utils.py. Leaves out tools and documents.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import numbers
from demos.params import ParamsError
from graders import aside

LARGEST = 20_000
"""Characters of a rendered chat."""
SECONDS = 2.0
"""For somebody else's template."""
TOO_HARD = (
    f"Шаблон остановлен: он считал дольше {numbers.integer(SECONDS)} секунд или занял слишком много памяти. "
    "Ищите бесконечный цикл или умножение строки на большое число."
)
LONG = f"Шаблон написал больше {numbers.integer(LARGEST)} знаков и остановлен: проверьте циклы."
Turn = Mapping[str, str]
"""``role`` and ``content``."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template wrote. ``spans``: from and to which character the assistant speaks (``{% generation %}``)."""

    text: str
    spans: tuple[tuple[int, int], ...]


def render(template: str, messages: Sequence[Turn], *, tokens: Mapping[str, str], prompt: bool) -> Rendered:
    """The chat in a trusted template. ``tokens``: ``bos_token`` and others; ``prompt``: ``add_generation_prompt``.

    Raises:
        ParamsError: the template has a mistake or refuses the chat; one Russian sentence.
    """
    import jinja2

    try:
        return _write(template, messages, tokens, prompt)
    except ParamsError:
        raise
    except jinja2.exceptions.TemplateSyntaxError as error:
        raise ParamsError(f"Ошибка в строке {error.lineno} шаблона: {_quoted(error)}.") from None
    except jinja2.exceptions.SecurityError:
        raise ParamsError("Шаблон тянется к закрытым атрибутам: песочница не пускает, как и в transformers.") from None
    except jinja2.exceptions.UndefinedError as error:
        raise ParamsError(f"В шаблоне имя, которого нет: {_quoted(error)}.") from None
    except jinja2.exceptions.TemplateError as error:
        raise ParamsError(f"Шаблон отказался от этого разговора: {_quoted(error)}.") from None
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ParamsError(f"Шаблон не смог записать разговор: {_quoted(error)}.") from None


def render_foreign(template: str, messages: Sequence[Turn], *, tokens: Mapping[str, str], prompt: bool) -> Rendered:
    """The chat in somebody else's template, in a process with limits of time and memory.

    Raises:
        ParamsError: as in ``render``, or a limit was met.
    """
    payload = {
        "packages": _packages(),
        "template": template,
        "messages": [dict(turn) for turn in messages],
        "tokens": dict(tokens),
        "prompt": prompt,
    }
    try:
        said = aside.run(f"{__name__}:answer", payload, seconds=SECONDS)
    except aside.TooHard:
        raise ParamsError(TOO_HARD) from None
    except aside.Broken:
        raise ParamsError("Шаблон сломал песочницу: исправьте его и попробуйте ещё раз.") from None
    if "fault" in said:
        raise ParamsError(said["fault"])
    return Rendered(said["text"], tuple((first, last) for first, last in said["spans"]))


def answer(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The child's half of ``render_foreign``: plain data in, plain data out."""
    sys.path.append(payload["packages"])
    try:
        made = render(payload["template"], payload["messages"], tokens=payload["tokens"], prompt=payload["prompt"])
    except ParamsError as error:
        return {"fault": str(error)}
    return {"text": made.text, "spans": made.spans}


def _write(template: str, messages: Sequence[Turn], tokens: Mapping[str, str], prompt: bool) -> Rendered:
    environment, tracker = _environment()
    blocks: list[str] = []
    spans: list[tuple[int, int]] = []
    length = 0
    with tracker(blocks, spans):
        made = environment.from_string(template)
        given = {"messages": list(messages), "tools": None, "documents": None, "add_generation_prompt": prompt}
        for block in made.generate(**given, **tokens):
            blocks.append(block)
            length += len(block)
            if length > LARGEST:
                raise ParamsError(LONG)
    return Rendered("".join(blocks), tuple(spans))


def _environment() -> tuple[Any, Any]:
    """A fresh sandbox and the context in which it notes where the assistant speaks."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    tracker = _tracker()
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[tracker, loopcontrols])
    made.filters["tojson"] = _tojson
    made.globals |= {"raise_exception": _refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    watch = next(item for item in made.extensions.values() if isinstance(item, tracker))
    return made, watch.watching


@cache
def _tracker() -> Any:
    """The class of the extension for ``{% generation %}``; jinja2 is imported when it is wanted."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Tracker(Extension):
        tags = {"generation"}  # noqa: RUF012 - jinja's own form

        def __init__(self, environment: Any) -> None:
            super().__init__(environment)
            self.blocks: list[str] = []
            self.spans: list[tuple[int, int]] = []

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

        def _note(self, caller: Any) -> str:
            said: str = caller()
            start = sum(map(len, self.blocks))
            self.spans.append((start, start + len(said)))
            return said

        @contextmanager
        def watching(self, blocks: list[str], spans: list[tuple[int, int]]) -> Iterator[None]:
            self.blocks, self.spans = blocks, spans
            yield

    return Tracker


def _tojson(value: Any, **options: Any) -> str:
    """Without HTML's escapes, which jinja's own filter adds."""
    return json.dumps(value, **{"ensure_ascii": False, **options})


def _refuse(message: str) -> None:
    from jinja2.exceptions import TemplateError

    raise TemplateError(message)


def _quoted(error: Exception) -> str:
    text = " ".join(str(error).replace("`", "'").split())
    return f"`{text[:160]}`" if text else f"`{type(error).__name__}`"


def _packages() -> str:
    """Where jinja2 lies: the child starts without the folder of libraries."""
    found = find_spec("jinja2")
    if found is None or found.origin is None:
        raise ParamsError("Библиотека jinja2 не установлена: запустите ./course start.")
    return str(Path(found.origin).parent.parent)
