"""The judge: forked per grading, runs the exercise's pytest file and tells the engine what each check found.

The engine's channel is never inherited by a sandbox. Pytest runs without plugins, conftest or ini files; a check that
was skipped, expected to fail or broke in its fixtures has not passed. Leaves out points and sentences
(``graders.host.feedback``).
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from graders import forking
from graders.host.checking import show
from graders.host.draw import Draw
from graders.host.faults import Gone, MissingName, Mistake, Refused, SubmissionError
from graders.host.remote import Names, Remote, deadline_in
from graders.wire import Channel, WireError

PATIENCE = 5.0
"""Deadlines of the exercise after which the judge waits no longer by itself; the engine ends a sandbox long before."""
_NEEDLESS = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch"),
    *("pastebin", "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "terminal", "threadexception"),
    *("tmpdir", "unittest", "unraisableexception", "warnings"),
)
ARGUMENTS = ("-c", os.devnull, *(word for name in _NEEDLESS for word in ("-p", f"no:{name}")))
ARGUMENTS += ("--noconftest", "--assert=plain", "--capture=no", "--import-mode=importlib")
"""How pytest runs: without ini files, conftest, rewriting of assertions, and the plugins that only cost time here."""


class Broken(Exception):
    """Ours, not the learner's: the sandbox did not open, given.py failed."""


class Judge:
    """A pytest plugin for one submission. ``job``: tests, given, cells, seconds (as the engine sent them)."""

    def __init__(self, engine: Channel, job: dict[str, Any]) -> None:
        self._engine, self._job = engine, job
        self._deadline = deadline_in(job["seconds"] * PATIENCE)
        self._remote: Remote | None = None
        self._found: dict[str, Any] = {}

    def tell(self, *message: object) -> None:
        """Say something to the engine."""
        self._engine.send(list(message), deadline_in(10))

    def remote(self) -> Remote:
        """The living sandbox with the submission loaded; a fresh one when the last check left none.

        Raises:
            Gone: the engine gives no more of them.
            Broken, SubmissionError, WireError: it could not be opened or loaded.
        """
        if self._remote is None or not self._remote.alive:
            self._remote = self._open()
        return self._remote

    def _open(self) -> Remote:
        self.tell("sandbox")
        word, descriptors, _, _ = socket.recv_fds(self._engine.sock, 1, 1)
        if word != b"Y" or not descriptors:
            raise Gone
        remote = Remote(Channel(socket.socket(fileno=descriptors[0])), self._deadline)
        try:
            remote.greet()
            remote.ask("given", self._job["given"])
        except (Gone, WireError, SubmissionError) as error:
            raise Broken(f"{type(error).__name__}: {error}") from error
        remote.ask("load", self._job["cells"])
        return remote

    def load(self) -> bool:
        """Open the first sandbox and load the submission; tells the engine why not."""
        try:
            self.remote()
        except Broken as error:
            self.tell("broken", str(error))
        except (Gone, SubmissionError, Refused, WireError) as error:
            self.tell("unloaded", found(error))
        else:
            return True
        return False

    @pytest.fixture
    def solution(self) -> Names:
        """The submission's names."""
        self.remote()
        return Names(self, "solution")

    @pytest.fixture
    def given(self) -> Names:
        """The names of the exercise's given.py."""
        self.remote()
        return Names(self, "given")

    @pytest.fixture
    def draw(self) -> Draw:
        """Random inputs, drawn here with a seed that no submission has seen."""
        return Draw(secrets.randbits(62))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tell what will run before any of the submission does."""
        names = [_name(item) for item in items]
        self.tell("collected", {name: names.count(name) for name in names})
        if not self.load():
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Keep what a phase of a check found, without pytest's own account of it (it quotes hidden source)."""
        error = call.excinfo.value if call.excinfo else None
        if error is not None and "kind" not in self._found:
            self._found = found(error)
            if self._found["kind"] == "unforeseen" and self._remote is not None:
                self._found["got"] = show(self._remote.last)
        outcome = "failed" if error is not None else "passed"
        keywords = dict.fromkeys(item.keywords, 1)
        report = pytest.TestReport(item.nodeid, item.location, keywords, outcome, None, call.when)  # type: ignore[arg-type]
        if call.when == "teardown":
            self.tell("result", _name(item), self._found or {"kind": "passed"})
            self._found = {}
        return report


def found(error: BaseException) -> dict[str, Any]:
    """What an exception means, as plain data."""
    if isinstance(error, Mistake):
        words = {key: str(getattr(error, key)) for key in ("misconception", "sentence", "expected", "got")}
        return {"kind": "mistake", **words}
    if isinstance(error, SubmissionError):
        return {"kind": "error", **error.details()}
    if isinstance(error, MissingName):
        return {"kind": "missing", "name": error.name, "names": error.names}
    if isinstance(error, Gone):
        return {"kind": "gone"}
    if isinstance(error, Refused):
        return {"kind": "refused", "sentence": str(error)}
    if isinstance(error, WireError):
        return {"kind": "protocol", "sentence": str(error)}
    if isinstance(error, AssertionError):
        return {"kind": "assertion", "sentence": str(error.args[0]) if error.args else ""}
    where = "".join(traceback.format_tb(error.__traceback__, limit=-1))
    print(f"a check broke: {type(error).__name__}: {error}\n{where}", file=sys.stderr)  # noqa: T201 - for the operator
    return {"kind": "unforeseen", "sentence": type(error).__name__}


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


def grade(engine: Channel, job: dict[str, Any]) -> None:
    """Run all checks of ``job["tests"]``."""
    judge, tests = Judge(engine, job), Path(job["tests"])
    code = pytest.main([str(tests), "--rootdir", str(tests.parent), *ARGUMENTS], plugins=[judge])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        judge.tell("broken", f"pytest: {code!r}")


def try_out(engine: Channel, job: dict[str, Any]) -> None:
    """Load the submission and evaluate one call; judge nothing."""
    judge = Judge(engine, job)
    if not judge.load():
        return
    try:
        has_value, value = judge.remote().ask("evaluate", job["call"])
        judge.tell("tried", {"kind": "passed", "value": str(value) if has_value else ""})
    except (Gone, SubmissionError, Refused, WireError, TypeError, ValueError) as error:
        judge.tell("tried", found(error))


def child(_request: Any, descriptors: list[int]) -> None:
    """One forked judge: read the job, do it, say that it is done."""
    engine = Channel(socket.socket(fileno=descriptors[0]))
    job = engine.receive(deadline_in(300))  # the sandbox may have to be warmed anew first
    (try_out if "call" in job else grade)(engine, job)
    engine.send(["done"], deadline_in(10))


def main() -> None:
    """Entry of the judge's zygote. ``argv``: the checkout, the control socket's descriptor."""
    control = socket.socket(fileno=int(sys.argv[2]))
    from graders.host import warm

    with forking.mortal(control):
        warm.judge()
    forking.send(control, {"ready": True, "layers": []})
    forking.serve(control, child)
