"""The heat-map tells states by sign as well as by colour, and says the same in words."""

from __future__ import annotations

from charts.progress import SIGNS, heatmap
from progress.states import INSTRUCTOR_WORDS, State

STATES = [[State.PROVEN, State.CONTRADICTED], [State.CLAIMED, State.EMPTY]]


def test_every_state_has_a_colour_and_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(State)
    assert len(set(SIGNS.values())) == len(State)
    drawn = heatmap(["Анна", "Борис"], ["формы", "масштаб"], STATES).figure.data[0]
    assert [list(row) for row in drawn.text] == [["✓", "!"], ["○", ""]]
    assert len({colour for _, colour in drawn.colorscale}) == len(State)


def test_each_cell_explains_itself_on_hover() -> None:
    drawn = heatmap(["Анна", "Борис"], ["формы", "масштаб"], STATES).figure.data[0]
    assert list(drawn.customdata[0][1]) == ["масштаб", INSTRUCTOR_WORDS[State.CONTRADICTED]]


def test_the_finding_and_the_words_count_what_is_drawn() -> None:
    chart = heatmap(["Анна", "Борис"], ["формы", "масштаб"], STATES)
    assert "25" in chart.title
    assert "расхождений — 1" in chart.title
    assert "«формы»: доказано 50" in chart.alt.replace("\u00a0", " ")


def test_an_empty_class_is_drawn_without_a_fault() -> None:
    assert "0" in heatmap([], ["формы"], []).title
