"""A PostgreSQL server of our own for tests: a temporary cluster, a Unix socket, no network, gone afterwards.

PostgreSQL refuses to run as root, so root hands it to ``nobody``. A missing server fails the tests: half of what
the course promises would go unproven without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

INSTALLED = Path("/usr/lib/postgresql")
QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=60"


def binary(name: str) -> str:
    """The path of a PostgreSQL program of the newest version installed."""
    found = sorted(INSTALLED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is missing: apt-get install postgresql (see .ci/run)"
    return path


class Server:
    """A running server. Every test takes a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._count = folder, 0

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new(self, template: str = "template1") -> str:
        """The address of a new database."""
        self._count += 1
        name = f"test_{self._count}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        engine.dispose()
        return self.url(name)

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' {QUICK}"
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop at once."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        _run(binary("pg_ctl"), "-D", str(self.folder / "data"), *arguments)


@contextmanager
def running() -> Iterator[Server]:
    """A new server, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="course-pg-"))  # short: a socket's path has 107 bytes at most
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        _run(binary("initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run([*drop, *command], check=False, cwd="/", stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, (done.stderr or done.stdout).decode()
