"""Who is acting: every service call takes an ``Identity``. Leaves out how one is proven (accounts)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the services know them. ``id`` is stable, ``name`` may change."""

    id: str
    name: str
    instructor: bool


LOCAL = Identity("local", "Вы", True)
"""Whoever sits at the machine in local mode: learner and instructor at once."""


class Forbidden(Exception):
    """The actor may not see or do this; the message is one Russian sentence."""


def require_instructor(actor: Identity) -> None:
    """Let instructors pass.

    Raises:
        Forbidden: the actor is not one.
    """
    if not actor.instructor:
        raise Forbidden("Эта страница — для преподавателя: у вас нет к ней доступа.")


def require_owner(actor: Identity, owner: str) -> None:
    """Let the owner of a row and instructors pass.

    Raises:
        Forbidden: the row belongs to somebody else.
    """
    if actor.id != owner and not actor.instructor:
        raise Forbidden("Это работа другого учащегося: видеть её может только автор и преподаватель.")
