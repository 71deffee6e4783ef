"""The steps lead to exactly the tables of the models, once, whoever else starts at the same time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from progress import learning
from progress.database import Database, DatabaseLocked, DatabaseTooNew, migrate
from progress.identity import Identity
from progress.migrate import MIGRATIONS
from progress.records import Base


def test_the_steps_make_the_models_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    for table in Base.metadata.sorted_tables:
        named = inspect(engine).get_foreign_keys(table.name)
        assert all(key["options"].get("ondelete") == "CASCADE" for key in named)
        assert (table.name in {"learners", "workers"}) == (not named)
    engine.dispose()


def test_the_steps_form_one_line() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert len(scripts.get_heads()) == 1
    steps = list(scripts.walk_revisions())
    assert [step.revision for step in reversed(steps)] == [f"{number:04}" for number in range(1, len(steps) + 1)]


def test_migrating_again_changes_nothing_and_loses_nothing(url: str, db: Database, anna: Identity) -> None:
    learning.tick(db, anna, "lora", "shapes", True)
    migrate(url)
    assert learning.ticks(db, anna, "lora") == {"shapes"}


def test_a_newer_database_is_left_alone(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="более новой версией курса"):
        migrate(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


STEP = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "9998", "{head}"

def upgrade():
    anew = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("learners", recreate=anew) as table:
        table.add_column(sa.Column("city", sa.String()))
"""


def test_a_later_step_that_alters_learners_keeps_their_work(
    url: str, db: Database, anna: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite alters a table by dropping it, and a drop deletes what hangs on it unless foreign keys are off."""
    learning.tick(db, anna, "lora", "shapes", True)
    db.close()
    later = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    (later / "versions" / "v9998_later.py").write_text(STEP.format(head=head))
    monkeypatch.setattr("progress.migrate.MIGRATIONS", later)
    migrate(url)
    assert learning.ticks(db, anna, "lora") == {"shapes"}
    engine = create_engine(url)
    assert "city" in {column["name"] for column in inspect(engine).get_columns("learners")}
    engine.dispose()


BROKEN = (
    STEP
    + """
    op.add_column("ticks", sa.Column("mood", sa.String()))
    raise RuntimeError("half way")
"""
)


def test_a_step_that_fails_leaves_the_database_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    (later / "versions" / "v9998_later.py").write_text(BROKEN.format(head=head))
    with monkeypatch.context() as patch:
        patch.setattr("progress.migrate.MIGRATIONS", later)
        with pytest.raises(RuntimeError, match="half way"):
            migrate(url)
    migrate(url)
    engine = create_engine(url)
    assert "city" not in {column["name"] for column in inspect(engine).get_columns("learners")}
    assert "mood" not in {column["name"] for column in inspect(engine).get_columns("ticks")}
    engine.dispose()


@pytest.mark.slow
def test_replicas_that_start_together_migrate_once(empty_url: str) -> None:
    script = "import sys; from progress.database import migrate; migrate(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    children = [subprocess.Popen([sys.executable, "-c", script, empty_url], env=environment) for _ in range(3)]
    assert [child.wait(300) for child in children] == [0, 0, 0]
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_a_migration_elsewhere_is_waited_for_then_told(sqlite_url: str) -> None:
    import fcntl

    with Path(f"{sqlite_url.removeprefix('sqlite:///')}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatabaseLocked, match="занята"):
            migrate(sqlite_url, wait=0.2)
    migrate(sqlite_url, wait=0.2)


def test_wal_lasts(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    engine.dispose()
