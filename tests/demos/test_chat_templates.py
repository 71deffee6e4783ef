"""What the demo writes is what transformers writes, byte for byte; what it masks is what transformers and trl mask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demos.chat_templates import families, wrong
from demos.chat_templates.render import Params, Result, render
from demos.params import ParamsError

pytestmark = pytest.mark.slow
ROLES = ("system", "user", "assistant", "tool")
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
) | st.sampled_from(["{{ 1 }}", "<|end|>", "кот <|im_end|>", "  два  пробела ", "\n\n", "😀 ж"])


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Any]:
    """transformers' own tokenizer of each family: the bundled words, the family's marks and template."""
    from transformers import AutoTokenizer

    from demos.finetuning import base_model

    made = {}
    for name, family in families.FAMILIES.items():
        made[name] = AutoTokenizer.from_pretrained(base_model.FOLDER)
        made[name].add_special_tokens({"extra_special_tokens": [*family.marks, *base_model.SPECIAL]})
        made[name].add_special_tokens(dict(family.tokens))
        made[name].chat_template = family.template
    return made


def turns(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in pairs]


def call(messages: list[dict[str, str]], **fields: Any) -> Result:
    return render(Params(messages=json.dumps(messages), **fields))


@given(
    family=st.sampled_from([name for name in families.FAMILIES if name != "mistral"]),
    messages=st.lists(st.tuples(st.sampled_from(ROLES), TEXTS), min_size=1, max_size=5),
    prompt=st.booleans(),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_and_ids_are_those_of_transformers(
    tokenizers: dict[str, Any], family: str, messages: list[tuple[str, str]], prompt: bool
) -> None:
    chat = turns(*messages)
    ours = call(chat, family=family, prompt=prompt)
    theirs = tokenizers[family]
    assert ours.text == theirs.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt)
    encoded = theirs.apply_chat_template(
        chat, add_generation_prompt=prompt, return_dict=True, return_assistant_tokens_mask=True
    )
    assert [token.id for token in ours.tokens] == encoded["input_ids"]
    assert [int(token.trained) for token in ours.tokens] == encoded["assistant_masks"]


@given(
    contents=st.lists(TEXTS, min_size=1, max_size=5),
    prompt=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mistral_takes_turns(tokenizers: dict[str, Any], contents: list[str], prompt: bool) -> None:
    chat = turns(*zip(("user", "assistant", "user", "assistant", "user"), contents, strict=False))
    ours = call(chat, family="mistral", prompt=prompt)
    assert ours.text == tokenizers["mistral"].apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt)


@pytest.mark.parametrize("family", ["llama3", "phi3", "qwen2_5"])
def test_the_training_copies_write_what_the_families_own_templates_write(
    tokenizers: dict[str, Any], family: str
) -> None:
    chat = turns(("system", "правила"), ("user", " вопрос "), ("assistant", "ответ\n"), ("user", "ещё"))
    original = families._shipped(family)
    for prompt in (False, True):
        theirs = tokenizers[family].apply_chat_template(
            chat, chat_template=original, tokenize=False, add_generation_prompt=prompt
        )
        assert call(chat, family=family, prompt=prompt).text == theirs


def test_llama_3_has_two_newlines_after_every_header_and_one_bos() -> None:
    made = call(turns(("user", "привет")), family="llama3", prompt=True)
    assert made.text == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nпривет<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert made.bos == 1


def test_mistral_in_its_documented_form() -> None:
    chat = turns(("user", "один"), ("assistant", "два"), ("user", "три"))
    assert call(chat, family="mistral").text == "<s>[INST] один [/INST]два</s> [INST] три [/INST]"


def test_mistral_has_no_system_role() -> None:
    with pytest.raises(ParamsError, match="Шаблон отказался от этого разговора: `Only user and assistant"):
        call(turns(("system", "правила"), ("user", "привет")), family="mistral")


def test_a_template_may_leave_a_message_out_or_add_its_own() -> None:
    chat = turns(("user", "погода?"), ("tool", "минус пять"), ("assistant", "холодно"))
    assert call(chat, family="phi3").dropped == (2,)
    assert "You are Qwen" in call(chat, family="qwen2_5").added
    assert call(chat, family="chatml").added == call(chat, family="course").added == ""


def test_a_tokenizer_that_adds_bos_doubles_it(tokenizers: dict[str, Any]) -> None:
    from tokenizers.processors import TemplateProcessing

    chat = turns(("user", "привет"), ("assistant", "здравствуйте"))
    ours = call(chat, family="llama3", bos=True)
    theirs = tokenizers["llama3"]
    first = theirs.bos_token_id
    theirs.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", first)]
    )
    ids = theirs(theirs.apply_chat_template(chat, tokenize=False))["input_ids"]
    theirs.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
    assert ids[:2] == [first, first]
    assert [token.id for token in ours.tokens] == ids
    assert ours.bos == 2


def test_only_the_last_answer_by_trls_rule(tokenizers: dict[str, Any]) -> None:
    from trl.data_utils import common_prefix_length

    chat = turns(("user", "раз"), ("assistant", "два"), ("user", "три"), ("assistant", "четыре"))
    for family, theirs in tokenizers.items():
        asked = theirs.apply_chat_template(chat[:-1], add_generation_prompt=True, return_dict=True)["input_ids"]
        whole = theirs.apply_chat_template(chat, return_dict=True)["input_ids"]
        wanted = common_prefix_length(asked, whole)
        made = call(chat, family=family, loss="completion")
        assert [token.trained for token in made.tokens] == [place >= wanted for place in range(len(whole))]


def test_foreign_marks_fall_apart_in_the_bundled_tokenizer() -> None:
    whole, cut = (
        call(turns(("user", "кот")), family="chatml"),
        call(turns(("user", "кот")), family="chatml", eyes="course"),
    )
    assert len(cut.tokens) == len(whole.tokens) + whole.broken_marks
    assert whole.broken_marks > 0 == call(turns(("user", "кот")), family="course").broken_marks


def test_tokens_put_together_are_the_text() -> None:
    made = call(turns(("user", "кот 😀"), ("assistant", "the cat")), family="phi3")
    shown = "".join(token.text for token in made.tokens if "⟨" not in token.text)
    assert shown.replace(" ", "") == made.text.replace("😀", "").replace(" ", "")


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "остановлен: он считал"),
        ("{{ 'a' * 10 ** 10 }}", "остановлен: он считал"),
        ("{{ 'a' * 10 ** 6 }}", "больше 20\u00a0000 знаков"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "остановлен: он считал"),
        ("{{ ''.__class__.__mro__ }}", "закрытым атрибутам"),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", "закрытым атрибутам"),
        ("{{ messages.append(1) }}", "закрытым атрибутам"),
        ("{% for %}", "Ошибка в строке 1 шаблона"),
        ("{% if true %}", "Ошибка в строке 1 шаблона"),
        ("{% include 'passwd' %}", "не смог записать|отказался"),
        ("{{ unknown.name }}", "имя, которого нет"),
        ("{{ 1 // 0 }}", "не смог записать"),
        ("{{ raise_exception('нельзя') }}", "отказался от этого разговора: `нельзя`"),
    ],
)
def test_a_bad_template_costs_one_sentence(own: str, sentence: str) -> None:
    with pytest.raises(ParamsError, match=sentence) as caught:
        render(Params(own=own))
    assert "\n" not in str(caught.value)


def test_a_template_of_ones_own_is_rendered_as_transformers_would(tokenizers: dict[str, Any]) -> None:
    own = (
        "{%- for m in messages %}\n  {% if m.role == 'user' %}\n- {{ m.content | upper }}\n  {% endif %}\n{% endfor %}"
        "{{ eos_token }}"
    )
    chat = turns(("user", "кот"), ("assistant", "cat"))
    theirs = tokenizers["course"].apply_chat_template(chat, chat_template=own, tokenize=False)
    made = call(chat, family="course", own=own)
    assert (made.text, made.trained, made.marked) == (theirs, 0, False)


@pytest.mark.parametrize(
    "messages",
    [
        "",
        "[]",
        "{}",
        "[1]",
        '[{"role": "бот", "content": "а"}]',
        '[{"role": "user"}]',
        "[" * 5000,
        json.dumps(turns(("user", "а")) * 9),
        json.dumps(turns(("user", "а" * 1001))),
        '[{"role": "user", "content": "\\ud800"}]',
    ],
)
def test_messages_that_are_none(messages: str) -> None:
    with pytest.raises(ParamsError, match="Сообщени"):
        render(Params(messages=messages))


def test_the_fall_in_a_wrong_template_is_measured_again() -> None:
    """A part of scripts/measure_templates.py, and the bundled template as transformers itself would ask."""
    from demos.finetuning import base_model, evaluate

    known = evaluate.old_skills()["to_english"]
    recorded = wrong.recorded()["ways"]
    for way in (wrong.RIGHT, "chatml", wrong.NO_PROMPT):
        said = wrong.answer([wrong.write(way, example) for example in known])
        right = sum(evaluate.is_right(text, example.answer) for text, example in zip(said, known, strict=True))
        assert right == recorded[way]["to_english"]
    theirs = evaluate.greedy(base_model.load(), base_model.tokenizer(), [example.prompt for example in known])
    assert wrong.answer([wrong.write(wrong.RIGHT, example) for example in known]) == theirs


def test_one_question_is_asked_live() -> None:
    own = wrong.wrong(wrong.Params(way=wrong.RIGHT))
    other = wrong.wrong(wrong.Params(way="llama3"))
    assert (own.right, other.right) == (True, False)
    assert own.said == own.expected == other.expected
    assert other.tokens > own.tokens == own.own_tokens
    assert [row.of for row in own.rows] == [120] * len(wrong.WAYS)
