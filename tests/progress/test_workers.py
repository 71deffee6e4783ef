"""Workers say that they live; those that fall silent are found."""

from __future__ import annotations

from datetime import timedelta

from progress import people, workers
from progress.database import Database


def test_a_worker_is_alive_until_it_falls_silent(db: Database) -> None:
    workers.heartbeat(db, "grader-1")
    assert workers.alive(db) == ("grader-1",)
    assert workers.silent(db) == ()
    later = people.now() + timedelta(seconds=16)
    assert workers.silent(db, later) == ("grader-1",)
    assert workers.alive(db, later) == ()


def test_a_worker_that_comes_back_is_not_silent(db: Database) -> None:
    workers.heartbeat(db, "grader-1")
    before = people.now()
    workers.heartbeat(db, "grader-1")
    assert workers.silent(db, before + timedelta(seconds=15)) == ()


def test_a_worker_that_left_is_forgotten(db: Database) -> None:
    workers.heartbeat(db, "grader-1")
    workers.forget(db, "grader-1")
    workers.forget(db, "grader-1")
    assert workers.silent(db, people.now() + timedelta(days=1)) == ()


def test_the_walls_are_those_of_workers_that_live(db: Database) -> None:
    walls = {"ready": True, "layers": ["namespaces"], "problem": ""}
    workers.heartbeat(db, "grader-1")
    assert workers.isolation(db) == {}
    workers.heartbeat(db, "grader-1", walls)
    workers.heartbeat(db, "grader-1")
    workers.heartbeat(db, "grader-2")
    assert workers.isolation(db) == {"grader-1": walls}
    assert workers.isolation(db, people.now() + timedelta(seconds=16)) == {}
