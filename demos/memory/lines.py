"""A part of memory as a learner reads it: its name, its bytes, the formula in symbols and with the numbers put in.

Leaves out the formulas themselves (``formulas``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One bar of the figure or, with ``of``, a part of one."""

    id: str
    title: str
    bytes: int
    symbols: str
    numbers: str
    of: str = ""  # the bar that it is a part of
