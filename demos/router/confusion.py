"""How well a router sends requests to adapters: its confusion matrix, and what a threshold of confidence changes.

The requests' cosines and who would answer them right are measured beforehand (``stored``), so a threshold can be
dragged by hand; ``ask`` computes the same for any request live. Confidence is the largest share of a softmax over the
places, as in ``demos.finetuning.adapters.routing``. Coverage and risk as in selective classification (El-Yaniv, Wiener,
2010): the share of requests that the router decides, and the share of wrong decisions among these. Leaves out training
a router.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import statistics
from demos.finetuning.adapters.nearness import SHARPNESS, WAYS, Way, shares
from demos.finetuning.adapters.routing import BASE, CERTAIN
from demos.finetuning.events import Score
from demos.params import Checked, parameter
from demos.router import stored
from demos.router.requests import KINDS, OUTSIDE
from demos.router.stored import CUES, Cue, Row

UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """How the router decides, and in which form the requests come."""

    threshold: float = parameter(CERTAIN, "Порог уверенности", low=0, high=1)
    cue: Cue = parameter("without", "Запросы", words=CUES)
    way: Literal["nearest", "centroid"] = parameter("nearest", "Близость", words=WAYS)
    sharpness: float = parameter(SHARPNESS, "Резкость softmax", low=0, high=200)


@dataclass(frozen=True, slots=True)
class Decision:
    """One request: where it belongs, where it went, how sure the router was."""

    kind: str
    text: str
    best: str  # the nearest place, sure or not
    confidence: float
    sent: str  # ``best``, or «unsure»: then the base answers
    right: bool | None  # whether the answer that came is right; None where nobody has one


@dataclass(frozen=True, slots=True)
class Spot:
    """One threshold: share of requests decided, share of wrong decisions among them."""

    threshold: float
    coverage: float
    risk: float
    answered: float  # right answers of the whole system, over requests that have one


@dataclass(frozen=True, slots=True)
class Result:
    """The matrix has a row for each kind and a column for each place and for «unsure»."""

    kinds: tuple[str, ...]
    sent: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    decisions: tuple[Decision, ...]
    routed: Score  # requests with a place that were sent to it, «unsure» counts as the base
    coverage: float
    risk: float
    answered: Score  # right answers of router and adapters together
    best_possible: Score  # with every request sent to where it belongs
    base_alone: Score
    false_accepts: Score  # requests of nobody that went to an adapter
    separation: float  # AUROC: how well confidence tells requests that have a place from those of nobody
    curve: tuple[Spot, ...]
    now: Spot
    made: str


def confusion(params: Params) -> Result:
    """Judge the router at one threshold and at all of them.

    Raises:
        ParamsError: nothing was measured on the base model of now.
    """
    store = stored.load()
    rows = store.rows[params.cue]
    found = _decide(rows, store.places, params.way, params.sharpness, params.threshold)
    sent = (*store.places, UNSURE)
    own = [(one, row) for one, row in zip(found, rows, strict=True) if one.kind != OUTSIDE]
    strange = [one for one in found if one.kind == OUTSIDE]
    now = _spot(found, params.threshold)
    return Result(
        tuple(KINDS),
        sent,
        tuple(tuple(sum(one.kind == kind and one.sent == place for one in found) for place in sent) for kind in KINDS),
        found,
        _score([_place(one) == one.kind for one, _ in own]),
        now.coverage,
        now.risk,
        _score([bool(one.right) for one, _ in own]),
        _score([row.right[store.places.index(row.kind)] for _, row in own]),
        _score([row.right[store.places.index(BASE)] for _, row in own]),
        _score([_place(one) != BASE for one in strange]),
        _separation([one.confidence for one, _ in own], [one.confidence for one in strange]),
        _curve(rows, store.places, params),
        now,
        f"{store.made.script}, {store.made.date[:10]}, torch {store.made.versions['torch']}",
    )


def _decide(
    rows: Sequence[Row], places: Sequence[str], way: Way, sharpness: float, threshold: float
) -> tuple[Decision, ...]:
    import numpy as np

    sure = shares(np.array([row.cosines[way] for row in rows]), sharpness)  # (requests, places)
    found = []
    for row, each in zip(rows, sure, strict=True):
        best = int(each.argmax())
        sent = places[best] if each[best] >= threshold else UNSURE
        answers = dict(zip(places, row.right, strict=False))
        right = answers[BASE if sent == UNSURE else sent] if answers else None
        found.append(Decision(row.kind, row.text, places[best], float(each[best]), sent, right))
    return tuple(found)


def _curve(rows: Sequence[Row], places: Sequence[str], params: Params) -> tuple[Spot, ...]:
    """A spot for every threshold that changes a decision, from the laxest to the strictest."""
    import numpy as np

    lax = _decide(rows, places, params.way, params.sharpness, 0.0)
    sure = np.array([one.confidence for one in lax])
    wrong = np.array([_wrong(one) for one in lax])
    own = np.array([bool(row.right) for row in rows])
    sent = np.array([bool(one.right) for one in lax])
    base = np.array([bool(row.right) and row.right[places.index(BASE)] for row in rows])
    found = []
    for threshold in (0.0, *np.unique(sure).tolist(), 1.0):
        decided = sure >= threshold  # (requests,)
        count = int(decided.sum())
        answered = float(np.where(decided, sent, base)[own].mean())
        risk = float(wrong[decided].sum()) / count if count else 0.0
        found.append(Spot(threshold, count / len(rows), risk, answered))
    return tuple(found)


def _spot(found: Sequence[Decision], threshold: float) -> Spot:
    decided = [one for one in found if one.sent != UNSURE]
    answers = [one.right for one in found if one.right is not None]
    risk = sum(map(_wrong, decided)) / len(decided) if decided else 0.0
    return Spot(threshold, len(decided) / len(found), risk, sum(answers) / len(answers))


def _wrong(one: Decision) -> bool:
    """Whether the nearest place is not where it belongs; a request of nobody belongs to the base."""
    return one.best != (BASE if one.kind == OUTSIDE else one.kind)


def _place(one: Decision) -> str:
    return BASE if one.sent == UNSURE else one.sent


def _score(right: Sequence[bool]) -> Score:
    return statistics.wilson(sum(right), len(right))


def _separation(own: Sequence[float], strange: Sequence[float]) -> float:
    """The chance that a request with a place is surer than one without; equal ones count half."""
    pairs = [(one > other) + 0.5 * (one == other) for one in own for other in strange]
    return sum(pairs) / len(pairs)
