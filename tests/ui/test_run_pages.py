"""Runs on the pages: empty, waiting, going, over in each way, somebody else's, hostile. Events come from the store."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from demos.finetuning import measured
from demos.finetuning.events import (
    RESTARTED,
    Alarm,
    Answer,
    Evaluated,
    Event,
    Failed,
    Finished,
    Retention,
    Score,
    Stage,
    Started,
    Step,
    to_json,
)
from demos.finetuning.spec import THREE_CURVES, RunSpec
from jobs.queue import Place, Queue
from progress import datasets
from progress import runs as store
from progress.database import Database
from progress.identity import LOCAL, Identity

Visit = Callable[..., AppTest]
LESSON, BLOCK = "lora-math", "live"
HOSTILE = "<img src=x onerror=alert(1)> **жирно** [ссылка](https://example.org|x) :red[цвет] $x$ | столбец\n`код`"
BEGUN: list[Event] = [
    Stage("load", "Загружаем базовую модель", 0.1),
    Started(235_008, 2_536_512, 0.0927, 1_880_064, 3_100_000, 160, 1000, 21_000, 60_000, 4.2, 4.2, 0.02, "‹{}›",
            ("q_proj",), 2.0),
    Evaluated(0, 4.2, 2.1),
    Stage("train", "Учим", 2.2),
    *(Step(n, 160, 4.2 / n, 0.005, 1.25, 5230.0, 512_000_000, 2 + n / 10, (160 - n) / 10) for n in range(1, 41)),
    Evaluated(40, 0.12, 6.3),
]  # fmt: skip


def end(*answers: Answer, off: bool | None = True) -> Finished:
    low, high = Score(0, 200, 0.0, 0.02), Score(190, 200, 0.91, 0.97)
    kept = (Retention("add", Score(98, 100, 0.93, 0.99), Score(60, 100, 0.5, 0.69)),)
    return Finished(low, high, 190, 0, 1e-50, 4.2, 0.05, kept, off, 0.412, answers, 160, False, 612_000_000, 943_000,
                    23.4, 29.8)  # fmt: skip


def put(db: Database, *events: Event, outcome: str = "", spec: RunSpec | None = None, who: Identity = LOCAL) -> int:
    """A run that has said ``events``; without an ``outcome`` it goes on, without events it waits."""
    made = store.create(db, who, (spec or THREE_CURVES["qlora"]).to_json())
    if not events:
        return made.id
    store.start(db, made.id)
    told = [to_json(event) for event in events]
    if not outcome:
        store.append_events(db, made.id, told)
    else:
        files = {"adapter/adapter_model.safetensors": b"12345"} if outcome == "finished" else None
        store.finish(db, made.id, outcome, told, files=files)  # type: ignore[arg-type]
    return made.id


def words(tab: AppTest) -> str:
    elements = (*tab.title, *tab.header, *tab.markdown, *tab.caption, *tab.error, *tab.warning, *tab.info, *tab.code)
    shown = [str(element.value) for element in elements]
    shown += [f"{metric.label} {metric.value}" for metric in tab.metric] + [str(status.label) for status in tab.status]
    shown += [str(link.proto.label) for link in tab.get("page_link")]
    shown += [str(bar.proto.text) for bar in tab.get("progress")]
    return "\n".join(shown).replace("\u00a0", " ")


def titles(tab: AppTest) -> list[str]:
    """The titles of the charts on the page."""
    specs = [json.loads(chart.proto.spec) for chart in tab.get("plotly_chart")]
    return [spec["layout"]["title"]["text"].replace("<br>", " ").replace("\u00a0", " ") for spec in specs]


def test_without_runs_the_page_leads_to_the_lessons_panel(visit: Visit) -> None:
    tab = visit("runs")
    assert not tab.exception
    assert "Здесь появятся ваши дообучения" in words(tab)
    tab.button(key="to-lesson").click().run()
    assert (tab.query_params["id"], tab.query_params["block"]) == ("start", "train")  # the first panel of the course


@pytest.mark.parametrize("address", ["", "нет", "999", "-1", "1e3", "9" * 40])
def test_a_bad_address_gets_one_sentence_and_a_way_back(visit: Visit, address: str) -> None:
    tab = visit("run", id=address)
    assert not tab.exception
    assert "нет" in words(tab)
    assert "Мои запуски" in words(tab)


def test_a_waiting_run_says_so_and_can_be_stopped(visit: Visit, database: Database) -> None:
    number = put(database)
    tab = visit("run", id=str(number))
    assert not tab.exception
    assert "В очереди" in words(tab)
    assert "Страницу можно закрыть" in words(tab)
    tab.button(key=f"cancel-page-{number}").click().run()
    assert store.run(database, number).outcome == "cancelled"
    assert "отменён" in words(visit("run", id=str(number)))


def test_a_run_under_way_shows_curve_numbers_time_left_and_alarms(visit: Visit, database: Database) -> None:
    number = put(database, *BEGUN, Alarm("plateau", "Потери не падают уже 30 шагов.", 40))
    tab = visit("run", id=str(number))
    assert not tab.exception
    shown = words(tab)
    for piece in ("Шаг 40 из 160", "осталось около 12 с", "Потери 0,105", "Скорость обучения 0,005",
                  "Норма градиента 1,25", "Токенов в секунду 5 230", "Память на пике 512,0 МБ",
                  "Потери не падают уже 30 шагов"):  # fmt: skip
        assert piece in shown
    assert any("потери упали с 4,20 до 0,12" in title for title in titles(tab))
    assert "Что изменилось" not in shown


def test_stopping_a_run_under_way_asks_the_worker(visit: Visit, database: Database) -> None:
    number = put(database, *BEGUN)
    tab = visit("run", id=str(number))
    tab.button(key=f"cancel-page-{number}").click().run()
    assert store.cancel_requested(database, number)
    assert tab.button(key=f"cancel-page-{number}").disabled


def test_a_run_begun_again_forgets_the_lost_attempt(visit: Visit, database: Database) -> None:
    again = Alarm(RESTARTED, "Запуск начат сначала.", 0)
    number = put(database, *BEGUN, again, Stage("load", "Загружаем базовую модель", 0.1))
    shown = words(visit("run", id=str(number)))
    assert "Запуск начат сначала" in shown
    assert "Загружаем базовую модель…" in shown
    assert "Шаг 40" not in shown


def test_a_finished_run_says_what_changed_and_what_it_cost(visit: Visit, database: Database) -> None:
    right = Answer("красный кот", '{"кто": "кот"}', "red cat", '{"кто": "кот"}')
    number = put(database, *BEGUN, end(right), outcome="finished")
    tab = visit("run", id=str(number))
    assert not tab.exception
    shown = words(tab)
    for piece in ("Точных ответов до 0 %", "Точных ответов после 95 %", "190 из 200, от 91 до 97 %",
                  "190 ответов стали верными, ни один не испортился", "Случайно так почти не бывает",
                  "красный кот", "совпадают бит в бит", "не больше чем на 0,412", "235 008", "41 943 040",
                  "943,0 КБ", "4,1 ГБ"):  # fmt: skip
        assert piece in shown
    assert any("Больше всего забыто «сложение»" in title for title in titles(tab))
    assert not tab.get("progress")


def test_a_difference_that_chance_could_make_is_not_called_one(visit: Visit, database: Database) -> None:
    even = dataclasses.replace(end(), gained=3, lost=2, p_value=1.0)
    number = put(database, *BEGUN, even, outcome="finished")
    assert "бывает и случайно" in words(visit("run", id=str(number)))


def test_full_tuning_has_no_adapter_to_take_off(visit: Visit, database: Database) -> None:
    number = put(database, *BEGUN, end(off=None), outcome="finished", spec=THREE_CURVES["full"])
    assert "Отключать нечего" in words(visit("run", id=str(number)))


@pytest.mark.parametrize(("outcome", "code"), [("failed", "diverged"), ("cancelled", "cancelled")])
def test_a_run_that_ended_early_says_why_and_offers_another(
    visit: Visit, database: Database, outcome: str, code: str
) -> None:
    number = put(database, *BEGUN, Failed(code, "Причина одной фразой.", 5.0), outcome=outcome)
    tab = visit("run", id=str(number))
    assert not tab.exception
    assert "Причина одной фразой" in words(tab)
    assert any(link.proto.label == "Изменить и запустить" for link in tab.get("page_link"))


def test_what_the_model_and_others_wrote_is_shown_inert(visit: Visit, database: Database) -> None:
    stranger = Identity("anna", "Анна <b>К.</b> **ж**", False)
    answers = [Answer(HOSTILE, HOSTILE, HOSTILE, f"{n}{HOSTILE}") for n in range(3)]
    spec = dataclasses.replace(THREE_CURVES["qlora"], task="<img src=y> **з**", targets=("<img src=z>",))
    said = Alarm("plateau", HOSTILE, 1)
    number = put(database, *BEGUN, said, end(*answers), outcome="finished", who=stranger, spec=spec)
    tab = visit("run", id=str(number))
    assert not tab.exception
    assert "Анна" in words(tab)
    for element in (*tab.markdown, *tab.caption, *tab.warning, *tab.info):
        value = str(element.value)
        assert "<img" not in value.replace("\\<img", "")
        assert "<b>" not in value
        assert "**жирно**" not in value
        assert "**ж**" not in value
        assert "](https" not in value
        assert not any(line.startswith("|") and line.count("|") - line.count("\\|") != 3 for line in value.splitlines()
                       if "onerror" in line)  # fmt: skip


def test_somebody_elses_run_can_be_seen_but_the_local_instructor_may_stop_it(visit: Visit, database: Database) -> None:
    number = put(database, *BEGUN, who=Identity("anna", "Анна", False))
    tab = visit("run", id=str(number))
    assert "Анна" in words(tab)
    assert tab.button(key=f"cancel-page-{number}").label == "Остановить"
    assert "Здесь появятся" in words(visit("runs")), "it is not among one's own"


def test_the_history_overlays_what_is_chosen_and_forgets_only_when_asked_twice(
    visit: Visit, database: Database
) -> None:
    first = put(database, *BEGUN, end(), outcome="finished", spec=THREE_CURVES["lora"])
    second = put(database, *BEGUN, end(), outcome="finished", spec=THREE_CURVES["qlora"])
    tab = visit("runs")
    assert not tab.exception
    assert "точных ответов 0 % → 95 %" in words(tab)
    assert len(titles(tab)) == 2
    tab.checkbox(key=f"draw-{second}").uncheck().run()
    assert len(titles(tab)) == 1
    tab.button(key=f"delete-{first}").click().run()
    assert len(store.mine(database, LOCAL)) == 2
    tab.button(key=f"delete-{first}-yes").click().run()
    assert [run.id for run in store.mine(database, LOCAL)] == [second]


def test_log_scale_and_smoothing_change_the_chart(visit: Visit, database: Database) -> None:
    put(database, *BEGUN, end(), outcome="finished")
    tab = visit("runs")
    tab.toggle(key="log-scale").set_value(True).run()
    drawn = json.loads(tab.get("plotly_chart")[0].proto.spec)
    assert drawn["layout"]["yaxis"]["type"] == "log"


def test_one_click_repeats_with_another_method_at_that_methods_rate(visit: Visit, database: Database) -> None:
    number = put(database, *BEGUN, end(), outcome="finished")
    tab = visit("run", id=str(number))
    tab.button(key="again-full").click().run()
    assert not tab.exception
    newest = RunSpec.from_json(store.mine(database, LOCAL)[0].spec)
    assert newest == THREE_CURVES["full"]
    assert "Полное дообучение" in tab.title[0].value


def test_the_lessons_panel_starts_a_run_once_and_finds_it_again_in_a_new_tab(visit: Visit, database: Database) -> None:
    tab = visit("lesson", id=LESSON, block=BLOCK)
    assert not tab.exception
    starts = [str(button.key) for button in tab.button if button.label == "Дообучить"]
    assert len(starts) == 2
    tab.button(key=starts[0]).click().run()
    assert not tab.exception
    assert [RunSpec.from_json(run.spec) for run in store.mine(database, LOCAL)] == [THREE_CURVES["qlora"]]
    again = visit("lesson", id=LESSON, block=BLOCK)
    assert "В очереди" in words(again)
    assert again.button(key=starts[0]).disabled


def test_three_curves_are_three_runs_of_one_press(visit: Visit, database: Database) -> None:
    tab = visit("lesson", id=LESSON, block=BLOCK)
    tab.button(key=[str(button.key) for button in tab.button if button.label == "Дообучить"][1]).click().run()
    assert not tab.exception
    specs = [RunSpec.from_json(run.spec) for run in reversed(store.mine(database, LOCAL))]
    assert specs == list(THREE_CURVES.values())


def test_too_many_runs_are_refused_in_words(visit: Visit, database: Database) -> None:
    for seed in range(store.MAX_WAITING):
        put(database, spec=RunSpec(seed=100 + seed))
    tab = visit("new_run")
    tab.button(key=next(str(each.key) for each in tab.button if each.label == "Дообучить")).click().run()
    assert not tab.exception
    assert "незаконченных запуска" in tab.warning[0].value


def test_the_form_takes_a_recipe_from_the_address_and_hides_what_the_method_does_not_use(
    visit: Visit, database: Database
) -> None:
    tab = visit("new_run", method="full", quantization="none", learning_rate="0,001", steps="7")
    assert not tab.exception
    assert not any("Ранг" in field.label for field in tab.number_input)
    tab.button(key=next(str(each.key) for each in tab.button if each.label == "Дообучить")).click().run()
    spec = RunSpec.from_json(store.mine(database, LOCAL)[0].spec)
    assert (spec.method, spec.steps, spec.learning_rate) == ("full", 7, 0.001)


def test_a_value_that_no_run_can_have_is_told_at_its_field(visit: Visit) -> None:
    tab = visit("new_run", learning_rate="много")
    assert "Скорость обучения" in tab.warning[0].value
    tab = visit("new_run")
    rate = next(field for field in tab.text_input if field.label == "Скорость обучения")
    rate.set_value("быстро").run()
    assert "Скорость обучения" in tab.warning[0].value
    assert not any(button.label == "Дообучить" for button in tab.button)


def test_files_of_a_run_can_be_kept(visit: Visit, database: Database, tmp_path: Path) -> None:
    number = put(database, *BEGUN, end(), outcome="finished")
    tab = visit("run", id=str(number))
    labels = [str(getattr(button, "label", "")).replace("\u00a0", " ") for button in tab.get("download_button")]
    assert labels == ["Рецепт", "Результат", "Кривая", "Адаптер, 5 Б"]


def test_while_a_run_waits_long_a_recorded_one_of_the_same_recipe_is_shown_as_such(
    visit: Visit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "events_of", lambda _: [to_json(event) for event in BEGUN if event.kind != "step"])
    monkeypatch.setattr(Queue, "run_place", lambda *_: Place(7, 300.0, 255.0))
    number = put(database)
    shown = words(visit("run", id=str(number)))
    assert "7-е место, начнём примерно через 4 мин 15 с" in shown
    assert "запись" in shown


def test_own_examples_are_kept_and_chosen_and_faults_name_their_lines(visit: Visit, database: Database) -> None:
    tab = visit("new_run")
    lines = [json.dumps({"instruction": f"скажи {n}", "input": "", "output": f"ответ {n}"}) for n in range(40)]
    uploader = next(each for each in tab.file_uploader if each.label == "Файл с примерами")
    uploader.set_value(("плохой.jsonl", "\n".join([*lines[:2], "{нет"]).encode(), "application/json")).run()
    assert not tab.exception
    assert "Строка 3" in tab.error[0].value
    assert datasets.mine(database, LOCAL) == ()
    tab.file_uploader[0].set_value(("мои.jsonl", "\n".join(lines).encode(), "application/json")).run()
    assert not tab.exception
    (kept,) = datasets.mine(database, LOCAL)
    assert "для обучения" in words(tab)
    tab.button(key=next(str(each.key) for each in tab.button if each.label == "Дообучить")).click().run()
    assert store.mine(database, LOCAL)[0].dataset == kept.id
