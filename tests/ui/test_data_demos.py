"""Templates, packing and data in a page: edited, shown, refused in words; somebody's text never becomes markup."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from demos.chat_templates.render import Params as Chat
from demos.chat_templates.render import render
from demos.data.samples import OWN, SAMPLES
from demos.packing.windows import Params as Rows
from demos.packing.windows import windows
from progress import datasets
from tests.ui.shown import named
from ui import session
from ui.demos import chat_templates, packing
from ui.widgets.tokens import Shown, spell, visible

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]


def opened(visit: Visit, name: str, **query: str) -> AppTest:
    """The demo, its guess skipped."""
    tab = visit("demo", name=name, **query)
    skip = [each for each in tab.button if each.label == "Пропустить"]
    if skip:
        skip[0].click().run()
    assert not tab.exception, tab.exception
    return tab


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def html(tab: AppTest) -> str:
    return "".join(
        each.proto.body for each in tab.get("html") if "tokens" in each.proto.body and "<style" not in each.proto.body
    )


def test_a_chat_is_edited_message_by_message(visit: Visit) -> None:
    tab = opened(visit, "chat.render", family="chatml")
    assert len(tab.text_input) == 3
    named(tab, "button", "-add").click().run()
    assert len(tab.text_input) == 4
    tab.text_input[-1].set_value("<b>лес</b>").run()
    assert "&lt;b&gt;" in html(tab)
    assert "<b>" not in html(tab)
    assert "<|im_start|>user\n<b>лес</b><|im_end|>" in tab.code[0].value
    named(tab, "button", "drop-0").click().run()
    assert len(tab.text_input) == 3
    assert "отвечай точно" not in tab.code[0].value


def test_what_a_template_refuses_or_drops_is_said(visit: Visit) -> None:
    tab = opened(visit, "chat.render", family="mistral")
    assert "отказался от этого разговора" in tab.warning[0].value
    named(tab, "button", "ready-Два хода").click().run()
    assert not tab.warning
    assert tab.code[0].value.startswith("<s>[INST] сложи: 2 и 2 [/INST]4</s>")
    tab = opened(visit, "chat.render", family="llama3", bos="да")
    assert "BOS стоит дважды" in tab.warning[0].value
    assert metrics(tab)["BOS в начале"] == "2"


def test_a_template_of_ones_own_begins_with_the_familys(visit: Visit) -> None:
    tab = opened(visit, "chat.render", family="chatml")
    tab.toggle[0].set_value(True).run()
    assert "<|im_start|>" in str(tab.text_area[0].value)
    tab.text_area[0].set_value("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}").run()
    assert "Шаблон остановлен" in tab.warning[0].value
    tab.text_area[0].set_value("{{ messages[0].content }}").run()
    assert tab.code[0].value == "отвечай точно."
    assert "Учить не на чем" in tab.warning[0].value


def test_somebodys_text_becomes_no_markup() -> None:
    assert (
        visible('<img src=x onerror="1">\u202e') == "&lt;img<i>·</i>src=x<i>·</i>onerror=&quot;1&quot;&gt;<i>U+202E</i>"
    )
    assert spell([Shown("a"), Shown("b", learned=True), Shown("c", learned=True), Shown("d")]) == "a‹bc›d"


def test_rows_are_shown_and_a_window_too_short_is_told(visit: Visit) -> None:
    tab = opened(visit, "packing.windows")
    made = windows(Rows())
    assert metrics(tab)["Окон"] == str(len(made.lines)) == "4"
    assert "tok-learned" in html(tab)
    tab = opened(visit, "packing.windows", strategy="longest", window="4", lengths="9+5, 6+4")
    assert "Не учится ни один токен" in tab.warning[0].value
    tab = opened(visit, "packing.windows", lengths="двенадцать")
    assert "Длины" in tab.warning[0].value


@pytest.mark.parametrize("sample", SAMPLES)
def test_findings_are_listed_by_line(visit: Visit, sample: str) -> None:
    tab = opened(visit, "data.lint", sample=sample)
    assert metrics(tab)["Примеров"]
    assert any("Дообучить" in each.label for each in tab.button) == (metrics(tab)["Ошибок"] == "0")


def test_clean_data_go_into_a_run(visit: Visit) -> None:
    tab = opened(visit, "data.lint", sample="clean")
    next(each for each in tab.button if "Дообучить" in each.label).click().run()
    (kept,) = datasets.mine(session.database(), session.actor())
    link = next(each.proto for each in tab.get("page_link") if "Набор сохранён" in each.proto.label)
    assert link.query_string == f"dataset={kept.id}"
    assert datasets.content(session.database(), kept.id)[0].decode() == SAMPLES["clean"].train


def test_pasted_data_are_linted_and_a_long_text_gets_no_link(visit: Visit) -> None:
    tab = opened(visit, "data.lint", sample=OWN)
    tab.text_area[0].set_value('{"instruction": "а", "output": "б"}\n{"instruction": 5, "output": "в"}').run()
    assert (metrics(tab)["Ошибок"], metrics(tab)["Примеров"]) == ("1", "1")
    assert any("Строка\u00a02" in each.value for each in tab.markdown)
    line = json.dumps({"instruction": "слово " * 100, "output": "б"}, ensure_ascii=False)
    tab.text_area[0].set_value(f"{line}\n" * 20).run()
    assert any("ссылкой не передать" in each.value for each in tab.caption)


def test_converted_data_can_be_taken_away(visit: Visit) -> None:
    tab = opened(visit, "data.convert", target="openai", sample="tools")
    assert '"tool_calls"' in tab.code[0].value
    assert any(each.proto.label == "Скачать JSONL" for each in tab.get("download_button"))


def test_unbalanced_data_show_both_runs_or_how_to_start_them(visit: Visit) -> None:
    tab = opened(visit, "data.balance")
    labels = [each.proto.label for each in tab.get("page_link")]
    assert any("поровну" in label for label in labels)
    assert any("с перекосом" in label for label in labels)


@pytest.mark.slow
@pytest.mark.parametrize("params", [Chat(), Chat(family="phi3", prompt=True), Chat(family="qwen2_5")])
def test_the_code_of_transformers_says_the_same(params: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    made = render(params)
    exec(chat_templates.code(params), {})  # noqa: S102 - the course's own code
    assert capsys.readouterr().out == f"{made.text} {made.trained} из {len(made.tokens)}\n"


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["longest", "window", "wrapped", "bfd", "bfd_split"])
@pytest.mark.parametrize("trap", [False, True])
def test_the_code_of_trl_says_the_same(strategy: str, trap: bool, capsys: pytest.CaptureFixture[str]) -> None:
    params = Rows(strategy=strategy, end_is_pad=trap, window=16)
    made = windows(params)
    exec(packing.code(params), {})  # noqa: S102 - the course's own code
    assert capsys.readouterr().out.split("\n")[-2] == f"{len(made.lines)} {made.padding} {made.learned}"
