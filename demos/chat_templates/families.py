"""The templates of well-known families and the marks that their tokenizers know.

Llama-3, Phi-3 and Qwen2.5 are read from the installed trl (trl/chat_templates, Apache-2.0; their training copies, which
mark the assistant's part and write the same text). Mistral v0.1 is written here by its documented form. Leaves out
tools and other people's tokenizers: only their marks are known here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from demos.finetuning import base_model, templates
from demos.params import ParamsError

MISTRAL = (
    "{{- bos_token -}}"
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ['user', 'assistant'] -%}"
    "{{- raise_exception('Only user and assistant roles are supported!') -}}"
    "{%- elif (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}"
    "{%- elif message['role'] == 'user' -%}"
    "{{- '[INST] ' + message['content'] + ' [/INST]' -}}"
    "{%- else -%}"
    "{%- generation -%}{{- message['content'] + eos_token -}}{%- endgeneration -%}{{- ' ' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
)
"""The form of Mistral-7B-Instruct-v0.1: no system role, a strict alternation, a space after every end."""


@dataclass(frozen=True, slots=True)
class Family:
    """A template and its marks. ``bos`` is empty where the family has none. ``written``: the template's own text."""

    name: str
    title: str
    bos: str
    eos: str
    marks: tuple[str, ...]
    origin: str
    written: str = ""
    file: str = ""  # of trl/chat_templates

    @property
    def template(self) -> str:
        """The Jinja text."""
        return self.written or _shipped(self.file)

    @property
    def tokens(self) -> Mapping[str, str]:
        """What the template sees as ``bos_token`` and ``eos_token``."""
        named = {"bos_token": self.bos, "eos_token": self.eos}
        return {name: token for name, token in named.items() if token}


_TRL = "копия из trl с пометкой ответа, текст тот же, что у модели"
_ALL = (
    Family(
        "course", "Мини-переводчик", "", base_model.END, base_model.SPECIAL, "шаблон модели курса", base_model.TEMPLATE
    ),
    Family(
        "llama3",
        "Llama-3",
        "<|begin_of_text|>",
        "<|eot_id|>",
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        _TRL,
        file="llama3_training",
    ),
    Family("mistral", "Mistral v0.1", "<s>", "</s>", ("<s>", "</s>"), "записан по описанию формата v0.1", MISTRAL),
    Family(
        "phi3",
        "Phi-3",
        "<s>",
        "<|endoftext|>",
        ("<s>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"),
        _TRL,
        file="phi3_training",
    ),
    Family(
        "chatml",
        "ChatML",
        "",
        "<|im_end|>",
        ("<|im_start|>", "<|im_end|>"),
        "форма ChatML с пометкой ответа",
        templates.CHATML,
    ),
    Family(
        "qwen2_5",
        "Qwen2.5 (ChatML)",
        "",
        "<|im_end|>",
        ("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
        _TRL,
        file="qwen2_5_training",
    ),
)
FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _ALL})
"""Every family by name; the first is the bundled model's."""
TITLES: Mapping[str, str] = MappingProxyType({family.name: family.title for family in _ALL})


def get(name: str, own: str = "") -> Family:
    """A family; with a template of one's ``own`` instead of the family's, if there is one."""
    family = FAMILIES[name]
    return dataclasses.replace(family, origin="написан вами", written=own) if own else family


@cache
def _shipped(file: str) -> str:
    """A template of the installed trl, which is found without being imported."""
    found = find_spec("trl")
    if found is None or found.origin is None:
        raise ParamsError("Шаблоны семейств лежат в библиотеке trl, а она не установлена: запустите ./course start.")
    return (Path(found.origin).parent / "chat_templates" / f"{file}.jinja").read_text(encoding="utf-8")
