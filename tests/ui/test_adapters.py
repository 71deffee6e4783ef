"""The page of adapters: nothing yet, opened, asked, blended, merged, taken along; what is told when it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from common import numbers
from demos.finetuning.adapters import files
from demos.finetuning.spec import RunSpec
from jobs import compute
from progress import runs as store
from progress.database import Database
from progress.identity import LOCAL, Identity
from tests.demos.finetuning.adapter_parts import ALL, config, lora, pack
from ui import adapters

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("adapters_here")]

Visit = Callable[..., AppTest]
PLAIN = RunSpec(task="json", quantization="none")


def made(seed: int = 1, rank: int = 4) -> dict[str, bytes]:
    said = config(r=rank, lora_alpha=2 * rank, target_modules=list(ALL))
    return {files.CONFIG: said, files.WEIGHTS: pack(lora(rank, ALL, seed, 0.2))}


def put(
    db: Database,
    content: Mapping[str, bytes] | None = None,
    spec: RunSpec = PLAIN,
    who: Identity = LOCAL,
    title: str = "",
) -> int:
    run = store.create(db, who, spec.to_json(), title)
    store.start(db, run.id)
    kept = {f"adapter/{name}": each for name, each in (made() if content is None else content).items()}
    store.finish(db, run.id, "finished", (), files=kept)
    return run.id


def words(tab: AppTest) -> str:
    shown = (*tab.markdown, *tab.caption, *tab.error, *tab.warning, *tab.info)
    return "\n".join(str(element.value) for element in shown)


def press(tab: AppTest, key: str) -> AppTest:
    return tab.button(key=key).click().run()


def downloads(tab: AppTest) -> list[str]:
    return [each.proto.label for each in tab.get("download_button")]


def test_without_adapters_the_page_shows_the_way_to_one(visit: Visit) -> None:
    tab = visit("adapters")
    assert not tab.exception
    assert "Сначала дообучить модель" in [link.proto.label for link in tab.get("page_link")]
    assert "Два файла" in words(tab)


def test_a_runs_adapter_is_opened_to_the_byte(visit: Visit, database: Database) -> None:
    put(database)
    tab = visit("adapters")
    assert not tab.exception
    shown = {metric.label: metric.value for metric in tab.metric}
    assert shown == {
        "Метод": "LoRA",
        "Ранг r": "4",
        "Параметров": "61\u00a0440",
        "Файл": numbers.size(len(made()[files.WEIGHTS])),
    }
    assert "| `q_proj` | 4 | 6\u00a0144 | 24,6\u00a0КБ |" in words(tab)
    assert "layers\\.3\\.self\\_attn\\.v\\_proj\\.lora\\_B\\.weight" in words(tab)


def test_a_link_from_a_run_chooses_its_adapter_once(visit: Visit, database: Database) -> None:
    first, second = put(database, made(1)), put(database, made(2))
    tab = visit("adapters", run=str(first))
    assert tab.pills(key="adapters-chosen").value == [f"run-{first}"]
    tab.pills(key="adapters-chosen").set_value([f"run-{second}"]).run()
    assert tab.run().pills(key="adapters-chosen").value == [f"run-{second}"]


def test_everyone_answers_side_by_side_and_the_blend_too(visit: Visit, database: Database) -> None:
    first, second = put(database, made(1)), put(database, made(2), RunSpec(task="intents", quantization="none"))
    tab = visit("adapters", run=str(first))
    tab.pills(key="adapters-chosen").set_value([f"run-{first}", f"run-{second}"]).run()
    tab.toggle(key="adapters-blend").set_value(True).run()
    tab.text_area(key="adapters-prompt").set_value("сложи: 12 и 7").run()
    tab = press(tab, "adapters-ask")
    assert not tab.exception
    told = words(tab)
    answers = [line for line in told.splitlines() if line.startswith(("| База", "| № ", "| Смесь"))]
    assert [line.split(" | ")[0][:6] for line in answers] == [
        "| База",
        f"| № {first}\\"[:6],
        f"| № {second}\\"[:6],
        "| Смес",
    ]
    assert len({line.split(" | ")[1] for line in answers}) > 2
    assert "одним пакетом" in told
    assert "совпали с исходными бит в бит" in told
    assert "оставил бы запрос базе" in told or "базе без адаптера" in told


def test_unequal_ranks_are_told_and_the_answers_stay(visit: Visit, database: Database) -> None:
    both = [f"run-{put(database, made(1, 4))}", f"run-{put(database, made(2, 8))}"]
    tab = visit("adapters")
    tab.pills(key="adapters-chosen").set_value(both).run()
    tab.toggle(key="adapters-blend").set_value(True).run()
    tab.selectbox(key="adapters-way").set_value("linear").run()
    tab = press(tab, "adapters-ask")
    assert "Ранги разные" in tab.warning[0].value
    assert "| № " in words(tab)


def test_merging_is_compared_and_the_files_are_handed_out(visit: Visit, database: Database) -> None:
    put(database, spec=RunSpec(task="json", quantization="nf4"))
    tab = press(visit("adapters"), "adapters-compare")
    assert not tab.exception
    assert "| В деквантованную базу, float32 | меньше 0,001 | меньше 0,001 | 12 из 12 |" in words(tab)
    tab.selectbox(key="adapters-form").set_value("gguf-q8_0").run()
    tab = press(tab, "adapters-export")
    assert not tab.exception
    assert downloads(tab) == ["Адаптер (zip)", "Modelfile для Ollama", "Скачать, 2,5\u00a0МБ"]


def test_a_broken_adapter_is_told_beside_one_that_works(visit: Visit, database: Database) -> None:
    bad = put(database, {**made(), files.CONFIG: made(rank=8)[files.CONFIG]}, title="<img src=x> **ж**")
    good = put(database)
    tab = visit("adapters")
    tab.pills(key="adapters-chosen").set_value([f"run-{bad}", f"run-{good}"]).run()
    assert not tab.exception
    told = str(tab.error[0].value)
    assert "подходит 8 × 576" in told
    assert "<img" not in told.replace("\\<img", "")
    assert "**ж" not in told
    assert tab.button(key="adapters-ask")


def test_a_run_that_keeps_no_files_says_so(visit: Visit, database: Database) -> None:
    put(database, {})
    assert "больше не хранятся" in visit("adapters").error[0].value


def test_only_ones_own_runs_with_an_adapter_are_offered(visit: Visit, database: Database) -> None:
    mine = put(database)
    put(database, spec=RunSpec(method="full", quantization="none"))
    put(database, spec=RunSpec(method="bottleneck", quantization="none"))
    put(database, who=Identity("other", "Другой", instructor=False))
    assert [str(one) for one in visit("adapters").pills(key="adapters-chosen").options] == [
        f"№ {mine}\\: LoRA, r = 16 · Ответы в JSON"
    ]


def test_an_upload_is_an_adapter_like_any_other(visit: Visit, database: Database) -> None:
    put(database)
    tab = visit("adapters")
    tab.session_state["uploaded-adapter"] = ("мой.zip", made(5))
    tab.session_state["adapters-next"] = "upload"
    tab.run()
    assert tab.pills(key="adapters-chosen").value[0] == "upload"
    tab.text_area(key="examples-upload").set_value("погода сегодня?\nпогода завтра?").run()
    tab.text_area(key="adapters-prompt").set_value("погода вчера?").run()
    tab = press(tab, "adapters-ask")
    assert "адаптеру «Файл\\: мой\\.zip»" in tab.info[0].value


@pytest.mark.parametrize(
    ("named", "words_told"),
    [
        ({"photo.png": b"1"}, "Нужны два файла"),
        ({files.WEIGHTS: b"\0" * (13 * 2**20)}, "не больше 12 МиБ"),
    ],
)
def test_an_upload_that_cannot_be_taken_is_told(own_data: Any, named: dict[str, bytes], words_told: str) -> None:
    with pytest.raises(adapters.AdapterError, match=words_told):
        adapters.upload(named)


def test_a_lost_compute_process_is_said_with_a_way_to_retry(
    visit: Visit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str, params: Mapping[str, Any]) -> None:
        raise compute.ComputeError(compute.AWAY)

    put(database)
    monkeypatch.setattr(compute, "call", away)
    tab = visit("adapters")
    assert not tab.exception
    assert tab.warning[0].value == compute.AWAY
    assert any(button.label == "Попробовать ещё раз" for button in tab.button)
