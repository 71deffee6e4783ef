"""``python -m cli.prepare``: what has to be done before the course starts: databases up to date, the invented class.

A process of its own, so that the supervisor, which waits for it, stays small. Not a command of ``./course``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import settings
from jobs.prepare import prepare
from progress.database import Database, DatabaseFault
from settings import Settings


def main() -> int:
    """Prepare for the settings of the environment; 1 and one Russian sentence when a database cannot serve."""
    chosen = settings.current()
    try:
        prepare(chosen)
        if chosen.demo:
            invent_class(chosen)
    except DatabaseFault as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def invent_class(chosen: Settings) -> int:
    """Add the invented class for the course as it stands on disk; returns how many learners were added."""
    from cli import check
    from graders import exercise
    from lessons.loader import load_leniently
    from progress import sample
    from ui.catalogue import catalogue

    known, broken = check.gather(chosen)
    course, _ = load_leniently(chosen.content_dir, known)
    spoiled = {folder.name for folder, _ in broken}
    exercises = {slug: exercise.load(chosen.exercises_dir / slug) for slug in sorted(known.exercises - spoiled)}
    return sample.add(Database(chosen.database), catalogue(course, exercises, examples=True), datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
