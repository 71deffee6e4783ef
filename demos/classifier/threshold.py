"""One recorded classifier under a threshold: its matrix, every class, what it covers, how far its shares are true.

Two rules. «Sure»: an answer is given only when the largest softmax is at least the threshold (selective
classification; El-Yaniv, Wiener, 2010). «Class»: one class is said whenever its own softmax is at least the threshold,
else the largest of the others. Leaves out training and comparing kinds (``compare``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from demos.classifier import metrics, parts, recorded
from demos.classifier.metrics import Class
from demos.classifier.parts import NAMES, Row
from demos.classifier.recorded import SEEDS
from demos.classifier.training import METHODS
from demos.finetuning import measured, statistics
from demos.finetuning.events import Score
from demos.finetuning.measured import Origin, Stale
from demos.params import Checked, parameter

if TYPE_CHECKING:
    import numpy as np

ALWAYS, FREQUENT = "always", "вопрос"
TITLES = {ALWAYS: f"Всегда «{FREQUENT}»"} | {name: one.title for name, one in METHODS.items()}
COUNTS = {str(size): str(size) for size in parts.SIZES}
RULES = {"sure": "Отвечать, когда уверен", "class": "Порог для одного класса"}
MAILS = {"equal": "классов поровну", "skewed": "как в почте: 92 вопроса из 100"}
SKEWED = 2
"""Requests of each rare class in a hundred."""
BINS = (0.0, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Bounds of the groups by confidence."""
Method = Literal["always", "words", "probe", "head", "lora", "longer"]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which classifier, which rule, and who writes."""

    method: Method = parameter("lora", "Способ", words=TITLES)
    examples: Literal["20", "60", "200", "900"] = parameter("20", "Обучающих примеров", words=COUNTS)
    rule: Literal["sure", "class"] = parameter("sure", "Что решает порог", words=RULES)
    threshold: float = parameter(0.9, "Порог", low=0, high=1)
    watched: Literal["вопрос", "жалоба", "заказ", "отзыв", "просьба"] = parameter(
        "жалоба", "Класс", words={name: name for name in NAMES}, note="для порога одного класса"
    )
    mail: Literal["equal", "skewed"] = parameter("equal", "Экзамен", words=MAILS)


@dataclass(frozen=True, slots=True)
class Spot:
    """One threshold. ``share``: coverage, or the watched class's recall. ``score``: right among the decided."""

    threshold: float
    share: float
    score: Score


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of nearly one confidence: what the softmax promises and what came true."""

    low: float
    high: float
    promised: float
    score: Score


@dataclass(frozen=True, slots=True)
class Mistake:
    """A request with a wrong answer."""

    text: str
    right: str
    said: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Result:
    """Everything on the exam; ``validation`` is the same threshold on the validation part, equal classes only."""

    problem: str = ""
    method: str = ""
    title: str = ""
    rule: str = "sure"
    watched: str = ""
    skewed: bool = False
    names: tuple[str, ...] = ()
    of: int = 0
    matrix: tuple[tuple[int, ...], ...] = ()  # (truth, answer); the last column: no answer
    classes: tuple[Class, ...] = ()
    accuracy: Score | None = None  # right of all requests
    answered: Score | None = None  # right of those that were answered
    coverage: float = 0.0
    macro: float = 0.0
    macro_low: float = 0.0
    macro_high: float = 0.0
    confidence: float = 0.0  # mean largest softmax
    argmax: Score | None = None  # right of all without any threshold
    groups: tuple[Group, ...] = ()
    curve: tuple[Spot, ...] = ()
    now: Spot | None = None
    validation: Spot | None = None
    mistakes: tuple[Mistake, ...] = ()
    origin: Origin | None = None


def threshold(params: Params) -> Result:
    """The recorded logits, judged."""
    import numpy as np

    try:
        found = recorded.recording()
    except Stale as problem:
        return Result(problem=str(problem), method=params.method)
    every, skewed = parts.parts(), params.mail == "skewed"
    places = _mail(every.test) if skewed else list(range(len(every.test)))
    asked = [every.test[place] for place in places]
    truth = np.array(parts.truth(asked))
    one = None if params.method == ALWAYS else found.one(params.method, int(params.examples))
    shares = _shares(one.test)[places] if one else _always(len(asked))  # (requests, classes)
    checked = _shares(one.validation) if one else _always(len(every.validation))
    said = decide(shares, params)
    table = metrics.matrix(truth, said, len(NAMES))
    classes = metrics.classes(table, NAMES)
    low, high = metrics.macro_interval(truth, said, len(NAMES))
    right, answered = int((said == truth).sum()), int((said >= 0).sum())
    return Result(
        method=params.method,
        title=TITLES[params.method],
        rule=params.rule,
        watched=params.watched,
        skewed=skewed,
        names=NAMES,
        of=len(asked),
        matrix=tuple(tuple(map(int, row)) for row in table),
        classes=classes,
        accuracy=statistics.wilson(right, len(asked)),
        answered=statistics.wilson(right, answered),
        coverage=answered / len(asked),
        macro=metrics.macro(classes),
        macro_low=low,
        macro_high=high,
        confidence=float(shares.max(1).mean()),
        argmax=statistics.wilson(int((shares.argmax(1) == truth).sum()), len(asked)),
        groups=_groups(shares, truth),
        curve=_curve(shares, truth, params),
        now=_spot(shares, truth, params, params.threshold),
        validation=None
        if skewed
        else _spot(checked, np.array(parts.truth(every.validation)), params, params.threshold),
        mistakes=_mistakes(asked, truth, said, shares),
        origin=measured.origin_of(found.made, SEEDS[0]),
    )


def decide(shares: np.ndarray, params: Params, bound: float | None = None) -> np.ndarray:
    """The class of each request; -1 where no answer is given."""
    import numpy as np

    bound = params.threshold if bound is None else bound
    if params.rule == "sure":
        return np.where(shares.max(1) >= bound, shares.argmax(1), -1)
    watched = NAMES.index(params.watched)
    others = shares.copy()
    others[:, watched] = -1.0
    return np.where(shares[:, watched] >= bound, watched, others.argmax(1))


def _mail(rows: tuple[Row, ...]) -> list[int]:
    """Places of a hundred requests as the shop gets them: two of each rare class, the rest questions."""
    most = {name: 100 - SKEWED * (len(NAMES) - 1) if name == FREQUENT else SKEWED for name in NAMES}
    chosen = []
    for place, (_, label) in enumerate(rows):
        if most[label]:
            most[label] -= 1
            chosen.append(place)
    return chosen


def _shares(packed: str) -> np.ndarray:
    import numpy as np

    found = np.exp(recorded.unpack(packed))
    shares: np.ndarray = found / found.sum(1, keepdims=True)  # (requests, classes)
    return shares


def _always(count: int) -> np.ndarray:
    import numpy as np

    return np.eye(len(NAMES))[[NAMES.index(FREQUENT)] * count]


def _spot(shares: np.ndarray, truth: np.ndarray, params: Params, bound: float) -> Spot:
    said = decide(shares, params, bound)
    if params.rule == "sure":
        decided = said >= 0
        return Spot(bound, float(decided.mean()), statistics.wilson(int((said == truth).sum()), int(decided.sum())))
    watched = NAMES.index(params.watched)
    hits = int(((said == watched) & (truth == watched)).sum())
    return Spot(bound, hits / int((truth == watched).sum()), statistics.wilson(hits, int((said == watched).sum())))


def _curve(shares: np.ndarray, truth: np.ndarray, params: Params) -> tuple[Spot, ...]:
    """A spot for every threshold that changes a decision, from the laxest."""
    import numpy as np

    sure = shares.max(1) if params.rule == "sure" else shares[:, NAMES.index(params.watched)]
    return tuple(_spot(shares, truth, params, bound) for bound in np.unique(sure).tolist())


def _groups(shares: np.ndarray, truth: np.ndarray) -> tuple[Group, ...]:
    sure, right = shares.max(1), shares.argmax(1) == truth
    found = []
    for low, high in pairwise(BINS):
        chosen = (sure >= low) & ((sure < high) | (high == BINS[-1]))
        if chosen.any():
            score = statistics.wilson(int(right[chosen].sum()), int(chosen.sum()))
            found.append(Group(low, high, float(sure[chosen].mean()), score))
    return tuple(found)


def _mistakes(asked: list[Row], truth: np.ndarray, said: np.ndarray, shares: np.ndarray) -> tuple[Mistake, ...]:
    """Wrong answers, the surest first."""
    import numpy as np

    wrong = np.flatnonzero((said >= 0) & (said != truth))
    found = [
        Mistake(asked[place][0], NAMES[truth[place]], NAMES[said[place]], float(shares[place, said[place]]))
        for place in wrong
    ]
    return tuple(sorted(found, key=lambda one: -one.confidence))
