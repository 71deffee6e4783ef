"""Chat templates to be touched: a chat in any family's template or one's own; the bundled model in a wrong one.

Leaves out editing messages (``turns``), drawing (``charts.templates``) and computing (``demos.chat_templates``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import templates
from common import numbers
from demos.chat_templates import families, wrong
from demos.chat_templates.render import LONGEST_TEMPLATE, Params, Result
from demos.chat_templates.wrong import Params as Asked
from demos.chat_templates.wrong import Result as Fall
from demos.finetuning import vocabulary
from demos.params import Field
from ui import session
from ui.demos import form, turns
from ui.demos.frame import Look, Prediction
from ui.widgets.tokens import Shown, tokens

GROUP = "Данные и шаблоны"


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {"family": form.choice(fields["family"], key, locked="family" in locked)}
    values["messages"] = turns.edit(key, locked="messages" in locked)
    with st.grid(2, min_column_width=220):
        for name in ("loss", "eyes", "prompt", "bos"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    values["own"] = _own(values["family"], key, locked="own" in locked)
    return values


def _own(family: str, key: str, *, locked: bool) -> str:
    """The learner's own template, begun with the family's; empty while it is not wanted."""
    name, switch = form.widget(key, "own"), f"{key}-own-on"
    if session.recall(switch, None) is None:
        session.remember(switch, bool(session.recall(name, "")))
    st.toggle(
        "Править шаблон",
        key=switch,
        disabled=locked,
        help="Шаблон выполняется в песочнице transformers, в отдельном процессе с пределами времени и памяти.",
        on_change=_begin,
        args=(key, family),
    )
    if not session.recall(switch, default=False):
        return ""
    return st.text_area(
        "Шаблон (Jinja)",
        key=name,
        height=260,
        max_chars=LONGEST_TEMPLATE,
        disabled=locked,
        placeholder="{{ messages }}",
    )


def _begin(key: str, family: str) -> None:
    name = form.widget(key, "own")
    if not session.recall(name, ""):
        session.remember(name, families.get(family).template)


def _tokens(_params: Params, result: Result, _key: str) -> None:
    row = [Shown(token.text, token.special, token.trained) for token in result.tokens]
    tokens(row, f"Токены: {result.title}")
    left, right = st.tabs(["Текст как есть", "Шаблон"])
    with left:
        st.code(result.text, language=None, wrap_lines=True)
    with right:
        st.code(result.template, language="jinja2", wrap_lines=True)


def _answer(params: Asked, result: Fall, _key: str) -> None:
    st.markdown(f"**Вопрос {params.item} сейчас, {result.title}.** Вот что получила модель:")
    encoded = vocabulary.encode(result.written)
    marks = vocabulary.marks()
    tokens([Shown(vocabulary.show(one), one in marks) for one in encoded.ids], "Модель получила")
    with st.grid(2, min_column_width=220):
        with st.container():
            st.markdown("Ответила :green[:material/check:]" if result.right else "Ответила :red[:material/close:]")
            st.code(result.said or "(ничего)", language=None, wrap_lines=True)
        with st.container():
            st.markdown("Верно было бы")
            st.code(result.expected, language=None, wrap_lines=True)


def _thirds(result: Result) -> int:
    share = result.trained / len(result.tokens)
    return 0 if share < 1 / 3 else 1 if share < 2 / 3 else 2


def _tell_share(result: Result) -> str:
    share = numbers.percent(result.trained / len(result.tokens), 0)
    return (
        f"В потери входит {share}: {result.trained} из {len(result.tokens)} токенов. "
        "Вопросы, роли и метки модель читает, но не учится их писать."
    )


def _level(result: Fall) -> int:
    found = {row.way: row.right / row.of for row in result.rows}
    share = found.get("chatml", 0.0)
    return 0 if share > 0.6 else 1 if share > 0.1 else 2


def _tell_fall(result: Fall) -> str:
    if not result.rows:
        return "Точность ещё не записана."
    found = {row.way: row for row in result.rows}
    own, other = found[wrong.RIGHT], found["chatml"]
    return (
        f"В своём шаблоне верны {own.right} из {own.of} ответов, в ChatML — {other.right}. "
        "Веса те же, вопросы те же: изменились только метки вокруг них."
    )


def code(params: Params) -> str:
    """The same by transformers: the bundled tokenizer taught the family's marks."""
    family = families.get(params.family, params.own)
    return f"""import json

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("content/model")
tokenizer.add_special_tokens({{"extra_special_tokens": {sorted({*family.marks})!r}}})
tokenizer.add_special_tokens({dict(family.tokens)!r})
tokenizer.chat_template = {family.template!r}
messages = json.loads({params.messages!r})
text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt={params.prompt})
encoded = tokenizer.apply_chat_template(
    messages, add_generation_prompt={params.prompt}, return_dict=True, return_assistant_tokens_mask=True
)
print(text, sum(encoded["assistant_masks"]), "из", len(encoded["input_ids"]))
"""


LOOKS: Mapping[str, Look] = {
    "chat.render": Look(
        title="Шаблоны чата",
        group=GROUP,
        summary="Один разговор в шаблонах Llama-3, Mistral, Phi-3, ChatML: текст, токены, маска потерь, двойной BOS.",
        draw=templates.rendered,
        ask=Prediction(
            "Разговор из трёх сообщений в шаблоне Llama-3: правила, короткий вопрос, короткий ответ. "
            "Учим только ответу ассистента. Какая доля токенов войдёт в потери?",
            ("меньше трети", "от трети до двух третей", "больше двух третей"),
            _thirds,
            _tell_share,
        ),
        controls=_controls,
        code=code,
        below=_tokens,
    ),
    "chat.wrong": Look(
        title="Чужой шаблон",
        group=GROUP,
        summary="Те же вопросы той же модели, но в чужом шаблоне: что останется от её умений.",
        draw=templates.fallen,
        ask=Prediction(
            "В своём шаблоне мини-переводчик отвечает верно на девять вопросов из десяти. "
            "Сколько останется, если записать те же вопросы в ChatML?",
            ("больше шести из десяти", "от одного до шести", "меньше одного"),
            _level,
            _tell_fall,
        ),
        below=_answer,
    ),
}
