"""How fast one learner may ask for work. Leaves out who is refused and in which words (``submissions``, ``runs``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from progress import people

MINUTE = timedelta(minutes=1)


def wait(
    session: Session,
    created: InstrumentedAttribute[datetime],
    mine: Sequence[ColumnElement[bool]],
    most: int,
    within: timedelta = MINUTE,
) -> int:
    """Seconds until another row may come, when there may be ``most`` of ``mine`` ``within`` any such time; 0: now."""
    now = people.now()
    lately = select(created).where(*mine, created > now - within).order_by(created.desc()).limit(most)
    times = tuple(session.scalars(lately))
    if len(times) < most:
        return 0
    left = min(times[-1] + within - now, within)  # a clock that was set back must not lock anybody out for hours
    return max(1, math.ceil(left.total_seconds()))
