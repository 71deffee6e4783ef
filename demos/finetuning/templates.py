"""A chat template that marks the assistant's part, for a tokenizer of any model: what ``assistant_only_loss`` needs.

The model's own template where it has the marks, trl's marked copy of it where trl knows it, ours where the model never
had one. Leaves out templates that are neither: another form of talk would spoil what the model knows, so they are
refused in words.
"""

from __future__ import annotations

from typing import Any

from demos.finetuning import base_model
from demos.params import ParamsError

MARKS = ("{% generation", "{%- generation", "{%generation", "{%-generation")
CHATML = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- message['content'] + eos_token -}}{%- endgeneration -%}{{- '\\n' -}}"
    "{%- else -%}"
    "{{- message['content'] + '<|im_end|>\\n' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
"""For models without a template: ChatML's form, and the end that the model itself stops at."""
INST = (
    "{{- bos_token -}}"
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- ' ' + message['content'] + eos_token -}}{%- endgeneration -%}"
    "{%- else -%}"
    "{{- '[INST] ' + message['content'] + ' [/INST]' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
)
"""Mistral's and Llama-2's form, marked: trl has no copy of it."""


def fit(tokenizer: Any, title: str) -> None:
    """Give ``tokenizer`` a marked template, an end and a padding token.

    Raises:
        ParamsError: it has no end token, or its own template cannot be marked.
    """
    if tokenizer.eos_token is None:
        raise ParamsError(
            f"У токенизатора модели «{title}» нет токена конца (eos_token): она не узнает, где остановиться."
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    tokenizer.chat_template = _choose(tokenizer, title)


def _choose(tokenizer: Any, title: str) -> str:
    own = tokenizer.chat_template
    own = own.get("default") if isinstance(own, dict) else own
    if not own:
        ours = set(base_model.SPECIAL) <= set(tokenizer.get_vocab())
        return base_model.TEMPLATE if ours else CHATML
    if any(mark in own for mark in MARKS):
        return str(own)
    if "[INST]" in own and tokenizer.bos_token is not None:
        return INST
    from trl.chat_template_utils import get_training_chat_template

    try:
        return get_training_chat_template(tokenizer) or str(own)
    except ValueError:
        raise ParamsError(
            f"Шаблон чата модели «{title}» не отмечает, где ответ ассистента: добавьте в него "
            "{% generation %} и {% endgeneration %} вокруг ответа."
        ) from None
