"""Charts of runs: loss over the steps, exact match side by side.

Leaves out old skills (``retention``) and computing: everything comes from a run's events
(``demos.finetuning.story``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from charts import theme
from charts.chart import Chart
from charts.retention import as_words, share_of
from common import numbers, palette
from demos.finetuning.events import Finished, Score
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story

OTHERS = (palette.ORANGE, palette.SKY, palette.PURPLE, palette.GREY)
"""Colours of methods that have none of their own in the palette."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
CLOSE = 1.1
"""Losses within this ratio count as equal: a run with another seed differs as much."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One run to draw."""

    name: str
    spec: RunSpec
    story: Story


def role(spec: RunSpec) -> str:
    """The palette's name of a run's method, or an empty text for one that the palette does not know."""
    if spec.method == "full":
        return "full"
    if spec.method == "lora":
        return "lora" if spec.quantization == "none" else "qlora"
    return "base" if spec.method == "none" else ""


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Exponential moving average, without the pull of a zero start. ``weight`` of the past is in [0, 1)."""
    kept, total, made = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):  # a loss that was lost leaves a gap, not the end of the line
            kept, total = weight * kept + (1 - weight) * value, weight * total + (1 - weight)
        made.append(kept / total if total and math.isfinite(value) else value)
    return made


def curves(runs: Sequence[Curve], *, log: bool = False, smoothing: float = 0.0) -> Chart:
    """Loss over the steps: lines of training, diamonds of validation. The raw line stays faint under a smooth one."""
    finding = _finding(runs)
    figure = theme.figure(finding, x="шаг", y="потери, нат на токен", height=380)
    for run, (colour, dash) in zip(runs, _looks(runs), strict=True):
        _line(figure, run, colour, dash, smoothing)
        _diamonds(figure, run, colour)
    if any(run.story.evaluated for run in runs):
        _key(figure)
    longest = max((run.story.planned for run in runs), default=0)
    figure.update_xaxes(range=[0, 1.02 * longest or 1], rangemode="tozero")
    figure.update_yaxes(**({"type": "log", "dtick": "D1"} if log else {"rangemode": "tozero"}))
    figure.update_layout(showlegend=True, hovermode="closest")
    return Chart(figure, f"{finding}. {' '.join(_told(run) for run in runs)}".strip())


def compare(runs: Sequence[Curve]) -> Chart:
    """Exact match of finished runs with Wilson's intervals; a grey mark stands where each began."""
    done = [(run, run.story.finished) for run in runs if run.story.finished is not None]
    finding = _best(done)
    figure = theme.figure(finding, x="точных ответов, %", height=150 + 44 * max(1, len(done)))
    looks = _looks([run for run, _ in done])
    for (run, end), (colour, _) in zip(done, looks, strict=True):
        _bar(figure, run.name, end.after, colour)
    figure.add_scatter(
        x=[100 * share_of(end.before) for _, end in done],
        y=[run.name for run, _ in done],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 18, "color": palette.GREY, "line": {"width": 3}},
        hovertemplate="до: %{x:.1f} %<extra></extra>",
        name="до дообучения",
    )
    figure.update_xaxes(range=[0, 104])
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_layout(showlegend=False)
    words = "; ".join(f"{run.name}: {as_words(end.before)} до, {as_words(end.after)} после" for run, end in done)
    return Chart(figure, f"{finding}. {words}." if words else f"{finding}.")


def _looks(runs: Sequence[Curve]) -> list[tuple[str, str]]:
    """A colour for each method, and another dash for each further run of the same colour."""
    colours: dict[str, str] = {}
    used: dict[str, int] = {}
    made = []
    for run in runs:
        known = role(run.spec)
        other = OTHERS[sum(name not in palette.ROLES for name in colours) % len(OTHERS)]
        colour = colours.setdefault(known or run.spec.method, palette.ROLES[known] if known else other)
        turn = used.get(colour, 0)
        used[colour] = turn + 1
        made.append((colour, DASHES[(turn if known else turn + 1) % len(DASHES)]))
    return made


def _line(figure: Any, run: Curve, colour: str, dash: str, smoothing: float) -> None:
    steps = [step.step for step in run.story.steps]
    losses = [step.loss for step in run.story.steps]
    if smoothing:
        figure.add_scatter(
            x=steps, y=losses, mode="lines", line={"color": colour, "width": 1}, opacity=0.3,
            hoverinfo="skip", showlegend=False, legendgroup=run.name,
        )  # fmt: skip
    figure.add_scatter(
        x=steps,
        y=smooth(losses, smoothing),
        name=run.name,
        legendgroup=run.name,
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{run.name}: шаг {step}, потери {numbers.decimal(loss, 3)}"
            for step, loss in zip(steps, losses, strict=True)
        ],
    )


def _diamonds(figure: Any, run: Curve, colour: str) -> None:
    points = run.story.evaluated
    figure.add_scatter(
        x=[point.step for point in points],
        y=[point.loss for point in points],
        name=run.name,
        legendgroup=run.name,
        showlegend=False,
        cliponaxis=False,
        mode="markers",
        marker={"symbol": "diamond", "size": 10, "color": colour, "line": {"width": 1, "color": "white"}},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{run.name}: проверка на шаге {point.step}, потери {numbers.decimal(point.loss, 3)}" for point in points
        ],
    )


def _key(figure: Any) -> None:
    """What a diamond means: an entry of the legend with nothing drawn."""
    marker = {"symbol": "diamond", "size": 10, "color": palette.GREY}
    figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name="проверочные примеры", hoverinfo="skip")


def _bar(figure: Any, name: str, score: Score, colour: str) -> None:
    share = share_of(score)
    figure.add_bar(
        x=[100 * share],
        y=[name],
        orientation="h",
        marker={"color": colour},
        error_x=theme.whiskers(
            [(100 * score.low, 100 * score.high)], [100 * share], color=palette.GREY, thickness=2, width=6
        ),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{name}: {as_words(score)}"],
    )


def _finding(runs: Sequence[Curve]) -> str:
    shown = [run for run in runs if run.story.steps or run.story.evaluated]
    if not shown:
        return "Кривая появится с первым шагом"
    if len(shown) == 1:
        return _alone(shown[0])
    ends = sorted((_end(run), run.name) for run in shown)
    (low, best), (high, _) = ends[0], ends[-1]
    between = f"от {numbers.decimal(low)} до {numbers.decimal(high)}"
    if high <= CLOSE * low:
        return f"Кривые сошлись: потери {between}"
    return f"Ниже всех «{best}»: потери {between}"


def _alone(run: Curve) -> str:
    first, last = _begin(run), _end(run)
    at = run.story.last.step if run.story.last else run.story.evaluated[-1].step
    after = numbers.plural(at, "шаг", "шага", "шагов")
    if last < first / CLOSE:
        return f"{run.name}: потери упали с {numbers.decimal(first)} до {numbers.decimal(last)} за {after}"
    if last > first * CLOSE:
        return f"{run.name}: потери выросли с {numbers.decimal(first)} до {numbers.decimal(last)}"
    return f"{run.name}: потери около {numbers.decimal(last)}, {after}"


def _begin(run: Curve) -> float:
    return run.story.evaluated[0].loss if run.story.evaluated else run.story.steps[0].loss


def _end(run: Curve) -> float:
    """Where a run stands: its last validation, or its training loss where that is much newer."""
    checked, last = run.story.evaluated[-1] if run.story.evaluated else None, run.story.last
    if last is None or (checked is not None and checked.step and (run.story.over or checked.step >= last.step)):
        return checked.loss if checked is not None else math.nan
    return last.loss


def _told(run: Curve) -> str:
    if not (run.story.steps or run.story.evaluated):
        return f"{run.name}: ещё нет шагов."
    return f"{run.name}: {numbers.decimal(_begin(run))} вначале, {numbers.decimal(_end(run))} сейчас."


def _best(done: Sequence[tuple[Curve, Finished]]) -> str:
    if not done:
        return "Ни один из запусков ещё не закончен"
    ranked = sorted(done, key=lambda each: -share_of(each[1].after))
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    share = numbers.percent(share_of(best[1].after), 0)
    if second is None:
        return f"{best[0].name}: {share} точных ответов"
    if second[1].after.high >= best[1].after.low:
        return f"Интервалы лучших перекрываются: {best[0].name} ({share}) не отделить от других"
    return f"Точнее всех {best[0].name}: {share} точных ответов"
