"""``python -m progress.migrations "What changes"``: a new step from the difference between the steps and the models.

Read what it wrote before you keep it. Leaves out running the steps (``progress.migrate``).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from progress import engine
from progress.migrate import MIGRATIONS, WAIT, config, migrate


def write(message: str) -> None:
    """Write the step, numbered after the last one."""
    number = len(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())) + 1
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.sqlite'}"
        migrate(url)
        made = engine.writer(engine.connect(url, wait=WAIT))
        with made.connect() as connection, connection.begin():
            command.revision(config(connection), message, autogenerate=True, rev_id=f"{number:04}")
        made.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('python -m progress.migrations "What changes"')
    write(sys.argv[1])
