"""The learner's own adapter in the lessons: the course's until there is one, then the same from lesson to lesson."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from demos.finetuning.spec import RunSpec
from lessons.model import MineRef
from progress.database import Database
from tests.ui.test_adapters import downloads, made, press, put, words
from ui import adapters, session

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("adapters_here")]

Visit = Callable[..., AppTest]
WAY = {"open": "methods", "shrink": "colab", "merge": "deployment", "route": "adapters-lab"}
BOX = "mine-select"


def links(tab: AppTest) -> list[str]:
    return [link.proto.label for link in tab.get("page_link")]


def test_its_way_through_the_course_is_whole_and_in_this_order() -> None:
    steps = [
        (piece.view, lesson.id)
        for lesson in session.course().lessons
        for block in lesson.blocks
        for piece in block.pieces
        if isinstance(piece, MineRef)
    ]
    assert steps == list(WAY.items())


def test_without_one_the_courses_is_taken_and_the_way_to_ones_own_shown(visit: Visit) -> None:
    tab = visit("lesson", id="methods", block="own")
    assert not tab.exception
    assert "Адаптер курса: ответы в JSON, QLoRA" in words(tab)
    assert any(label.startswith("Сделать свой — урок 4") for label in links(tab))
    assert any("сожмите его" in label for label in links(tab))
    shown = {metric.label: metric.value for metric in tab.metric}
    assert (shown["Ранг r"], shown["Направлений в слое"], shown["Слоёв с поправкой"]) == ("4", "4", "28")


def test_ones_own_comes_first_and_the_choice_goes_along(visit: Visit, database: Database) -> None:
    older, newer = put(database, made(1)), put(database, made(2, rank=2))
    tab = visit("lesson", id="methods", block="own")
    assert tab.selectbox(key=BOX).value == f"run-{newer}"
    tab.selectbox(key=BOX).set_value(f"run-{older}").run()
    assert {metric.label: metric.value for metric in tab.metric}["Ранг r"] == "4"
    tab.query_params["id"] = "deployment"
    tab.run()
    assert tab.selectbox(key=BOX).value == f"run-{older}"


def test_shrunk_it_is_told_handed_out_and_worked_with(visit: Visit) -> None:
    tab = visit("lesson", id="colab", block="own")
    tab.select_slider(key="shrink-rank-4").set_value(2).run()
    tab = press(tab, "adapters-shrink")
    assert not tab.exception
    rows = [line for line in words(tab).splitlines() if line.startswith("| 4 |") or line.startswith("| 2 |")]
    assert [row.split(" | ")[1] for row in rows] == ["как было", "float16"]
    assert downloads(tab) == ["Скачать сжатый до r = 2 (zip)"]
    tab = press(tab, "shrink-go-on")
    assert not tab.exception
    assert tab.selectbox(key=BOX).value == adapters.SHRUNK
    tab.query_params["id"] = "methods"
    assert {metric.label: metric.value for metric in tab.run().metric}["Ранг r"] == "2"


def test_merged_it_is_compared_and_can_be_taken_along(visit: Visit) -> None:
    tab = press(visit("lesson", id="deployment", block="own"), "adapters-compare")
    assert not tab.exception
    assert "| В деквантованную базу, float32 | меньше 0,001" in words(tab)
    assert downloads(tab) == ["Адаптер (zip)", "Modelfile для Ollama"]


def test_it_answers_beside_two_others_and_the_router_knows_it(visit: Visit, database: Database) -> None:
    put(database, adapters.files(adapters.course("intents")), RunSpec(task="intents", quantization="none"))
    tab = press(visit("lesson", id="adapters-lab", block="own"), "adapters-ask")
    assert not tab.exception
    answers = [line for line in words(tab).splitlines() if line.startswith(("| База", "| № ", "| Адаптер курса"))]
    assert len(answers) == 4
    assert "что хочет клиент" not in "".join(answers[2:])  # the others are of other tasks
    assert "адаптеру «№" in words(tab)


def test_a_run_whose_files_are_gone_says_so(visit: Visit, database: Database) -> None:
    put(database, {})
    assert "больше не хранятся" in visit("lesson", id="methods", block="own").error[0].value


def test_a_method_without_a_product_is_opened_and_not_shrunk(visit: Visit, database: Database) -> None:
    from tests.demos.finetuning.adapter_parts import config, pack
    from tests.demos.finetuning.test_adapter_files import GOOD

    scaled = {name.replace("lora_B.weight", "lora_magnitude_vector"): row[:, 0].copy() for name, row in GOOD.items()
              if "lora_B" in name}  # fmt: skip
    named = {"adapter_config.json": config(use_dora=True), "adapter_model.safetensors": pack({**GOOD, **scaled})}
    put(database, named, RunSpec(method="dora", quantization="none"))
    tab = visit("lesson", id="colab", block="own")
    assert "только обычную LoRA" in tab.info[0].value
    assert {metric.label: metric.value for metric in visit("lesson", id="methods", block="own").metric}["Метод"] == (
        "DoRA"
    )
