"""Charts of an answer, of speed and of four ways: the title is computed from the numbers, all is said."""

from __future__ import annotations

import pytest

from charts import inference, speed, theme, ways
from charts.chart import Chart
from charts.drawing import Drawing
from demos import registry
from demos.inference.sample import Candidate, Result, Step
from demos.inference.speed import AGAINST
from demos.ways import once
from demos.ways.tasks import WAYS


def step(token: str, plain: float, *, place: int = 1, entropy: float = 0.0) -> Step:
    other = Candidate("<b>", 1 - plain, 1 - plain, 0.0, 1.0, chosen=False)
    return Step(token, place, 1, entropy, (Candidate(token, plain, plain, 1.0, plain, chosen=True), other))


INVENTED = Result(
    model="базовая",
    text="a <b> c",
    prompt_tokens=5,
    vocabulary=2048,
    ended=False,
    top_p=0.9,
    temperature=2.0,
    steps=(step("a", 0.9), step("·<b>", 0.4, place=2, entropy=1.7), step("·c", 0.5, entropy=1.0)),
)


def charts(drawing: Drawing) -> list[Chart]:
    for each in drawing.charts:
        assert each.title
        assert each.alt
        assert max(map(len, each.figure.layout.title.text.split("<br>"))) <= theme.TITLE_WIDTH
        assert each.figure.layout.xaxis.title.text
    return list(drawing.charts)


def test_an_answer_names_its_least_sure_token_and_escapes_it() -> None:
    drawing = inference.answered(INVENTED)
    (drawn,) = charts(drawing)
    assert inference.widest(INVENTED) == 1
    assert "2-й, «·&lt;b&gt;»" in drawn.title
    assert drawn.figure.layout.xaxis.ticktext[1] == "·&lt;b&gt;"
    assert {number.label: number.value for number in drawing.numbers}["Шанс ответа"] == "0,18"  # 0.9 · 0.4 · 0.5
    assert [bar.y for bar in drawn.figure.data] == [(90.0, 50.0), (40.0,)]
    assert any("оборван" in note for note in drawing.notes)


def test_a_step_shows_what_was_cut() -> None:
    drawn = inference.step(INVENTED, 1)
    kept, cut, marks, total = drawn.figure.data
    assert (kept.y, cut.y) == ((40.0,), (60.0,))
    assert marks.y == (40.0, 60.0)
    assert total.y == (40.0, 100.0)
    assert drawn.figure.layout.shapes[0].y0 == 90
    assert "отсечён" in drawn.alt
    assert inference.step_table(INVENTED, 1).rows[0] == ("·<b>", 0.4, 0.4, 0.4, 1.0, True)


def test_a_sure_model_is_called_sure() -> None:
    sure = Result(text="да", steps=(step("да", 0.99, entropy=0.1),), vocabulary=2048, ended=True)
    assert "уверена в каждом" in inference.tokens(sure).title


@pytest.mark.parametrize("against", AGAINST)
def test_every_comparison_of_speed_is_drawn(against: str) -> None:
    drawing = speed.recorded(registry.call("inference.speed", {"against": against}))
    assert charts(drawing)
    assert not drawing.warnings
    assert any("scripts/measure_speed.py" in note for note in drawing.notes)


@pytest.mark.parametrize("task", ["rules", "codes", "json", "new_rules"])
def test_every_task_is_drawn_with_the_verdict_on_all(task: str) -> None:
    result = registry.call("ways.compare", {"task": task})
    drawn, scores, costs = charts(ways.compared(result))
    assert drawn.title == "У задач разные победители: правило — примеры, справочник — поиск, JSON — обучение"
    shares = [trace.x for trace in scores.figure.data]
    assert len(shares) == (2 if task == "codes" else 1)
    best = max(result.rows, key=lambda row: row.score.right)
    assert f"{best.score.right} из {best.score.of}" in scores.title
    assert sum(sum(trace.x) for trace in costs.figure.data) == pytest.approx(sum(row.total_cost for row in result.rows))


def test_without_prices_there_is_no_chart_of_costs() -> None:
    free = {"price_prompt": 0, "price_answer": 0, "price_training": 0}
    assert len(ways.compared(registry.call("ways.compare", free)).charts) == 2


def test_an_answer_other_than_the_recorded_one_is_said() -> None:
    def asked(text: str) -> once.Answer:
        return once.Answer(
            "few", WAYS["few"], "а =", text, right=True, prompt_tokens=3, seconds=0.1, training_seconds=0, recorded="а!"
        )

    same = once.Result(number=1, of=2, request="а =", right="а!", answers=(asked("а!"),))
    other = once.Result(number=1, of=2, request="а =", right="а!", answers=(asked("а?"),))
    assert "те же" in ways.repeated(same).notes[0]
    assert WAYS["few"] in ways.repeated(other).notes[0]


def test_what_is_not_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demos.finetuning.measured.base", lambda: "another")
    for name, draw in (("ways.compare", ways.compared), ("inference.speed", speed.recorded)):
        drawing = draw(registry.call(name, {}))  # type: ignore[operator]
        assert not drawing.charts
        assert "другой базовой модели" in drawing.warnings[0]
