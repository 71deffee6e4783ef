"""Words of the sensitivity figures: names of layers and quantizations, signed changes of the loss in nats.

Leaves out the figures (``charts.sensitivity``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from charts import origin
from common import numbers
from common.numbers import NBSP
from demos.sensitivity.kinds import KINDS
from demos.sensitivity.layer import ALL
from demos.sensitivity.recorded import Point

TITLES: Mapping[str, str] = MappingProxyType({kind: kind.upper() for kind in KINDS})
ALL_LAYERS = "все слои сразу"
DATA = (
    "Всё на одних и тех же {examples} отложенных примерах старых умений модели ({tokens} токенов ответа), в float64. "
    "Потери — наты на токен ответа."
)


def layer_title(name: str) -> str:
    """What a learner reads instead of a layer's short name."""
    return ALL_LAYERS if name == ALL else name


def point_words(point: Point) -> str:
    """What a point says when it is pointed at."""
    return (
        f"{layer_title(point.layer)}, {TITLES[point.kind]}: {signed(point.change)} нат<br>"
        f"предсказано {signed(point.estimate)} (первый порядок {signed(point.first)})<br>"
        f"‖ε‖/‖W‖ = {numbers.significant(point.relative_error, 3)}, точных ответов {point.exact}"
    )


def nats(value: float) -> str:
    """A loss with its unit."""
    return f"{numbers.significant(value, 3)}{NBSP}нат"


def signed(value: float) -> str:
    """A change with its sign."""
    return f"{'+' if value > 0 else ''}{numbers.significant(value, 3)}"


def day(moment: str) -> str:
    """The date of an ISO moment in words."""
    return origin.day(datetime.fromisoformat(moment))
