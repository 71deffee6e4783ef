"""The class at a glance: learners × checklist items, each cell a state by colour and by sign."""

from __future__ import annotations

from collections.abc import Sequence

from charts import theme
from charts.chart import Chart
from common import palette
from common.numbers import percent, plural
from progress.states import INSTRUCTOR_WORDS, State

SIGNS = {State.EMPTY: "", State.CLAIMED: "○", State.PROVEN: "✓", State.CONTRADICTED: "!"}
"""A state is never told by colour alone."""

ROW_HEIGHT, AROUND = 26, 120  # pixels


def heatmap(people: Sequence[str], items: Sequence[str], states: Sequence[Sequence[State]]) -> Chart:
    """The checklist of a class. ``states``: one row for each of ``people``, one column for each of ``items``."""
    order = list(SIGNS)
    figure = theme.figure(_finding(states), x="номер пункта чек-листа", height=AROUND + ROW_HEIGHT * len(people))
    figure.add_heatmap(
        z=[[order.index(state) for state in row] for row in states],
        x=list(range(1, len(items) + 1)),
        y=list(people),
        text=[[SIGNS[state] for state in row] for row in states],
        texttemplate="%{text}",
        customdata=[[[items[n], INSTRUCTOR_WORDS[state]] for n, state in enumerate(row)] for row in states],
        hovertemplate="%{y}<br>%{customdata[0]}<br><b>%{customdata[1]}</b><extra></extra>",
        colorscale=_steps([palette.STATES[state.value] for state in order]),
        zmin=-0.5,
        zmax=len(order) - 0.5,
        showscale=False,
        xgap=3,
        ygap=3,
    )
    figure.update_xaxes(dtick=1, showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return Chart(figure, _alternative(people, items, states))


def _finding(states: Sequence[Sequence[State]]) -> str:
    cells = [state for row in states for state in row]
    return (
        f"Доказано {percent(_share(cells, State.PROVEN), 0)} пунктов, расхождений — {cells.count(State.CONTRADICTED)}"
    )


def _alternative(people: Sequence[str], items: Sequence[str], states: Sequence[Sequence[State]]) -> str:
    columns = list(zip(*states, strict=True))
    shares = [f"«{item}»: доказано {percent(_share(column, State.PROVEN), 0)}" for item, column in zip(items, columns)]  # noqa: B905
    many = plural(len(people), "учащийся", "учащихся", "учащихся")
    return f"{_finding(states)}. В таблице {many}. " + "; ".join(shares) + "."


def _share(cells: Sequence[State], state: State) -> float:
    return list(cells).count(state) / len(cells) if cells else 0.0


def _steps(colours: Sequence[str]) -> list[list[float | str]]:
    """A colour scale of flat steps: no colour between two states."""
    edges = [number / len(colours) for number in range(len(colours) + 1)]
    return [[edge, colour] for n, colour in enumerate(colours) for edge in (edges[n], edges[n + 1])]
