"""What the charts of recorded runs say: their findings, and a point's numbers in words.

Leaves out drawing (``charts.sweeps``). A difference counts when neither the seeds' spread nor the intervals overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from common import numbers
from demos.finetuning.sweeps import Mean, Result, Series, Spot

NOTHING = "Записей этих запусков пока нет"


def rates_finding(result: Result) -> str:
    """Each method's best learning rates, and whether the best lies at the edge of what was tried."""
    said, edge = [], []
    for series in result.series:
        top = _best(series.spots, result)
        if top is None:
            continue
        equal = [spot.x for spot in series.spots if _reaches(spot, top, result)]
        said.append(f"{series.title} — {_between(equal)}")
        if len(equal) == 1 and top in (series.spots[0], series.spots[-1]):
            edge.append(series.title)
    if not said:
        return NOTHING
    tail = f"; у {', '.join(edge)} лучшая — крайняя из проверенных" if edge and not result.missing else ""
    return f"{'Пока лучшая' if result.missing else 'Лучшая'} скорость: {', '.join(said)}{tail}"


def ranks_finding(result: Result) -> str:
    """For each task the smallest rank that is as good as the best."""
    parts = []
    for series in result.series:
        known = [spot for spot in series.spots if spot.value]
        top = _best(known, result)
        if top is None or any(spot.recorded < spot.wanted for spot in series.spots):
            continue
        enough = next(spot for spot in known if _reaches(spot, top, result))
        grows = enough is known[-1] and len(known) > 1
        said = f"и после r = {known[-2].x:.0f} становится лучше" if grows else f"хватает r = {enough.x:.0f}"
        parts.append(f"«{series.title}»: {said}")
    return "; ".join(parts) or (NOTHING if not _any(result) else "Рангов записано мало: вывод делать рано")


def alphas_finding(result: Result) -> str:
    """The best α/r, or that they cannot be told apart."""
    known = [spot for spot in result.spots if spot.value]
    top = _best(known, result)
    if top is None or top.value is None:
        return NOTHING
    if result.missing:
        return "Значений альфы записано мало: вывод делать рано"
    equal = [spot for spot in known if _reaches(spot, top, result)]
    lost = [scale(spot.x) for spot in result.spots if spot.diverged]
    tail = f"; при {', '.join(lost)} обучение расходится" if lost else ""
    if len(equal) == len(known) > 1:
        return f"От α/r = {scale(known[0].x)} до {scale(known[-1].x)} разница в пределах разброса{tail}"
    if len(equal) > 1:
        return f"Лучшие α/r: {', '.join(scale(spot.x) for spot in equal)}, между ними разницы не видно{tail}"
    return f"Лучшее α/r — {scale(top.x)}: {_short(top.value.mean, result)}{tail}"


def curves_finding(result: Result) -> str:
    """Which of the three methods ends lowest, if any."""
    ends = [(series, series.losses[-1][1]) for series in result.series if series.losses]
    if not ends:
        return NOTHING
    if result.missing:
        return f"Записано {len(ends)} из {len(result.series)} кривых не со всеми зёрнами: вывод делать рано"
    ranked = sorted(ends, key=lambda each: each[1].mean)
    (best, low), (worst, high) = ranked[0], ranked[-1]
    between = f"от {numbers.decimal(low.mean, 3)} до {numbers.decimal(high.mean, 3)}"
    if low.high >= high.low:
        return f"Три кривые не различить: разброс по зёрнам перекрывается, потери {between}"
    return f"Ниже всех «{best.title}», выше всех «{worst.title}»: потери {between}"


def methods_finding(result: Result) -> str:
    """The best method, and how many are as good within chance."""
    known = [(series, series.spots[0]) for series in result.series if series.spots[0].value]
    if not known or known[0][1].value is None:
        return NOTHING
    (best, top), first = known[0], known[0][1].value.mean
    share = _short(first, result)
    if result.metric == "loss":  # one seed: no spread to compare with
        return f"Ниже всего потери у метода {best.title}: {numbers.decimal(first, 3)}, зерно одно"
    equal = sum(_overlap(spot, top) for _, spot in known[1:])
    if not equal:
        return f"Лучший — {best.title}: {share}"
    others = numbers.plural(equal, "метод", "метода", "методов")
    return f"{best.title}: {share}; ещё {others} от него не отличить"


def _best(spots: Sequence[Spot], result: Result) -> Spot | None:
    known = [(spot, spot.value.mean) for spot in spots if spot.value]
    if not known:
        return None
    pick = max if result.metric == "exact" else min
    return pick(known, key=lambda each: each[1])[0]


def _reaches(spot: Spot, top: Spot, result: Result) -> bool:
    """Whether a point is as good as the best within chance: of the seeds, or of the held-out questions."""
    if spot.value is None or top.value is None:
        return False
    if result.metric == "exact":
        return spot.value.high >= top.value.low or _overlap(spot, top)
    return spot.value.low <= top.value.high


def _overlap(spot: Spot, top: Spot) -> bool:
    (low, high), (least, most) = bounds(spot), bounds(top)
    return high >= least and low <= most


def _between(values: Sequence[float]) -> str:
    low, high = rate(min(values)), rate(max(values))
    return low if low == high else f"от {low} до {high}"


def _any(result: Result) -> bool:
    return any(spot.value for spot in result.spots)


def value(spot: Spot, result: Result) -> str:
    """What a point shows, in words."""
    return said(spot, result.metric)


def said(spot: Spot, metric: str) -> str:
    """What became of a point's runs: the mean with what is uncertain in it, or why there is none."""
    if spot.value is None:
        return "обучение разошлось" if spot.diverged else "записи нет"
    words = spread(spot.value, metric)
    if spot.interval:
        low, high = (numbers.percent(bound, 0) for bound in (spot.interval.low, spot.interval.high))
        words += f", интервал {low} – {high}"
    return words + (f", разошлось {spot.diverged} из {spot.recorded}" if spot.diverged else "")


def state(spot: Spot) -> str:
    """Whether a point is recorded, for a table."""
    if spot.diverged:
        return "разошлось" if spot.value is None else f"разошлось {spot.diverged} из {spot.recorded}"
    return "есть" if spot.recorded == spot.wanted else f"{spot.recorded} из {spot.wanted}"


def spread(value: Mean, metric: str) -> str:
    """A mean with the lowest and the highest of its seeds."""
    show: Callable[[float], str] = (
        (lambda x: numbers.percent(x, 0)) if metric == "exact" else (lambda x: numbers.decimal(x, 3))
    )
    if len(value.each) == 1:
        return f"{show(value.mean)} (одно зерно)"
    return f"{show(value.mean)} (по зёрнам от {show(value.low)} до {show(value.high)})"


def _short(mean: float, result: Result) -> str:
    return f"{numbers.percent(mean, 0)} точных" if result.metric == "exact" else f"потери {numbers.decimal(mean, 3)}"


def from_to(series: Series) -> str:
    """A line of losses from its first step to its last."""
    (_, first), (step, last) = series.losses[0], series.losses[-1]
    return f"{numbers.decimal(first.mean)} вначале, {spread(last, 'loss')} на шаге {step}"


def rate(value: float) -> str:
    """A learning rate without trailing zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".").replace(".", ",")


def scale(value: float) -> str:
    """α/r, a quarter as one sign."""
    return "¼" if value == 0.25 else f"{value:g}".replace(".", ",")


def bounds(spot: Spot) -> tuple[float, float]:
    """What one run leaves uncertain; the seeds' spread where losses are compared."""
    if spot.interval:
        return spot.interval.low, spot.interval.high
    return (spot.value.low, spot.value.high) if spot.value else (0.0, 0.0)


def reach(spot: Spot) -> tuple[float, float]:
    """The seeds' spread; of a single seed what its own answers leave uncertain."""
    if spot.value and len(spot.value.each) > 1:
        return spot.value.low, spot.value.high
    return bounds(spot)
