"""Charts of classifiers: titles are computed from the record, everything is said in words, empty answers too."""

from __future__ import annotations

import pytest

from charts import classifier, classifiers, theme
from charts.chart import Chart
from charts.drawing import Drawing
from demos.classifier import compare, threshold
from demos.classifier.training import METHODS


def charts(drawing: Drawing) -> list[Chart]:
    for each in drawing.charts:
        assert each.title
        assert each.alt.startswith(each.title.split("  ")[0][:30])
        assert max(map(len, each.figure.layout.title.text.split("<br>"))) <= theme.TITLE_WIDTH
        assert each.figure.layout.xaxis.title.text
    return list(drawing.charts)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_matrix_is_the_one_counted_and_its_title_names_the_worst_mistake() -> None:
    told = threshold.threshold(threshold.Params(method="probe", examples="60", threshold=0.0))
    matrix, curve, _ = charts(classifier.drawn(told))
    (heat,) = matrix.figure.data
    assert [[int(text or 0) for text in row] for row in heat.text] == [list(row) for row in told.matrix]
    assert heat.z[0][0] == told.matrix[0][0] / sum(told.matrix[0])
    assert told.accuracy is not None
    assert f"{told.accuracy.right} из 500" in matrix.title
    most = max(
        (count, told.names[row], told.names[column])
        for row, counts in enumerate(told.matrix)
        for column, count in enumerate(counts[:5])
        if row != column
    )
    assert f"«{most[1]}» → «{most[2]}»: {most[0]}" in plain(matrix.title)
    assert curve.figure.data[2].x[0] == 100  # the laxest threshold answers everything
    mine, checked = curve.figure.data[3:]
    assert (mine.x[0], mine.name) == (100, "ваш порог: экзамен")
    assert checked.name == "ваш порог: проверочная часть"


def test_one_class_has_recall_and_precision_and_no_column_without_an_answer() -> None:
    told = threshold.threshold(threshold.Params(rule="class", watched="отзыв", threshold=0.2))
    matrix, curve, _ = charts(classifier.drawn(told))
    assert list(matrix.figure.data[0].x) == list(told.names)
    assert curve.title.startswith("«отзыв», порог 0,2: полнота")
    assert (curve.figure.layout.xaxis.title.text, curve.figure.layout.yaxis.title.text) == (
        "полнота, %",
        "точность класса, %",
    )
    assert told.now is not None
    assert curve.figure.data[3].x[0] == 100 * told.now.share


@pytest.mark.parametrize("rule", ["sure", "class"])
@pytest.mark.parametrize("method", ["always", *METHODS])
@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_ends_of_the_slider_are_drawn_and_said(method: threshold.Method, rule: str, bound: float) -> None:
    told = threshold.threshold(threshold.Params(method=method, rule=rule, threshold=bound))  # type: ignore[arg-type]
    assert len(charts(classifier.drawn(told))) == 3


def test_no_answer_at_all_is_said_in_words() -> None:
    told = threshold.threshold(threshold.Params(method="head", examples="60", threshold=1.0))
    drawn = classifier.drawn(told)
    assert "не отвечает ни разу" in drawn.charts[1].title
    assert plain(drawn.numbers[1].value) == "0,0 %"


def test_trust_is_judged_by_the_interval_of_what_came_true() -> None:
    for method in METHODS:
        told = threshold.threshold(threshold.Params(method=method))  # type: ignore[arg-type]
        assert told.argmax is not None
        title = classifier.trust_finding(told)
        word = "самоуверен" if told.confidence > told.argmax.high else "скромничает"
        inside = told.argmax.low <= told.confidence <= told.argmax.high
        assert title.endswith("в пределах случая" if inside else word)


def test_the_mail_is_told_to_be_skewed_and_has_no_validation_part() -> None:
    drawn = classifier.drawn(threshold.threshold(threshold.Params(method="always", mail="skewed")))
    assert "Верны 92 из 100" in drawn.charts[0].title
    assert any("остальных по два" in note for note in drawn.notes)
    assert not any("проверочной" in note for note in drawn.notes)
    assert drawn.tables[0].rows[1][4] is None  # never said: no precision


def test_kinds_are_drawn_by_the_number_of_examples_and_the_pair_is_judged() -> None:
    told = compare.compare(compare.Params(first="head", second="words", examples="60"))
    curves, pair = charts(classifiers.drawn(told))
    assert len(curves.figure.data) == 2 * len(METHODS)
    assert list(curves.figure.data[0].x) == [20, 60, 200, 900]
    best = max(told.lines, key=lambda line: line.points[1].score.right)
    assert plain(curves.title) == f"60 примеров: впереди «{best.short}», {best.points[1].score.right} из 500"
    assert list(pair.figure.data[0].x) == [told.gained, told.lost]
    assert told.p_value < 0.05
    assert "«счёт слов» лучше, чем «одна голова»" in plain(pair.title)
    same = compare.compare(compare.Params(first="lora", second="lora"))
    assert "один и тот же" in classifiers.pair_finding(same)


def test_a_missing_recording_is_a_warning() -> None:
    assert classifier.drawn(threshold.Result(problem="Нет.")).warnings == ("Нет.",)
    assert classifiers.drawn(compare.Result(problem="Нет.")).warnings == ("Нет.",)
