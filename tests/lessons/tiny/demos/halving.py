"""Code that the tiny lesson quotes."""

from __future__ import annotations


class Apple:
    """Something to cut."""

    def cut(self, times: int) -> int:
        """How many pieces there are after so many cuts."""
        pieces = 1
        for _ in range(times):
            pieces *= 2
        return pieces
