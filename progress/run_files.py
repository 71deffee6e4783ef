"""What a fine-tuning run leaves behind: the files of the adapter or of the whole model, kept for a learner's last runs.

Leaves out what is in them (``demos.finetuning``) and the run itself (``runs``).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from progress.database import Database
from progress.records import RunFileRow, RunRow

MAX_FILE = 12 * 2**20
"""Bytes of one file: the whole course model in float32 fits."""
MOST = 100
"""Files of one run."""
KEPT = 20
"""Runs of one learner whose files are kept; older ones keep their events."""


def sizes(db: Database, run_id: int) -> dict[str, int]:
    """Names of the files that the run left behind, with their bytes; empty when they are no longer kept."""
    with db.reading() as session:
        wanted = select(RunFileRow.name, RunFileRow.size).where(RunFileRow.run == run_id).order_by(RunFileRow.name)
        return {row.name: row.size for row in session.execute(wanted)}


def contents(db: Database, run_id: int) -> dict[str, bytes]:
    """The files that the run left behind, by name."""
    with db.reading() as session:
        wanted = select(RunFileRow.name, RunFileRow.content).where(RunFileRow.run == run_id).order_by(RunFileRow.name)
        return {row.name: row.content for row in session.execute(wanted)}


def keep(session: Session, run: RunRow, files: Mapping[str, bytes]) -> None:
    """Add the files of a run that ends in this transaction; those of the learner's older runs go.

    Raises:
        ValueError: too many or too large.
    """
    if len(files) > MOST or any(len(content) > MAX_FILE for content in files.values()):
        raise ValueError("files too many or too large")
    session.add_all(RunFileRow(run=run.id, name=name, size=len(files[name]), content=files[name]) for name in files)
    session.flush()
    kept = select(RunRow.id).where(RunRow.learner == run.learner, RunRow.id.in_(select(RunFileRow.run)))
    old = session.scalars(kept.order_by(RunRow.id.desc()).offset(KEPT)).all()
    session.execute(delete(RunFileRow).where(RunFileRow.run.in_(old)))
