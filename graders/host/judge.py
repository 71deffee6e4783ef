"""The judge: forked per grading, runs the exercise's pytest file and tells the engine what each check found.

The engine's channel is never inherited by a sandbox. Pytest runs without plugins, conftest or ini files; a check that
was skipped or expected to fail has not passed. Checks run in an order that no submission can know; what a check expects
is computed here, by the check itself, and never crosses the wire. A check that broke by itself is our fault, and ends
the grading. Leaves out points and sentences (``graders.host.feedback``).
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
from graders.host.draw import Draw
from graders.host.faults import Broken, Gone, MissingName, Mistake, Refused, SubmissionError
from graders.host.files import Files
from graders.host.remote import Names, Remote, deadline_in
from graders.host.shown import show
from graders.wire import Channel, WireError

PATIENCE = 5.0
"""Deadlines of the exercise after which the judge waits no longer by itself; the engine ends a sandbox long before."""
WARMING = 150.0
"""Seconds within which the engine has to answer: it may first have to warm a sandbox's process anew."""
_LONGEST = 2_000
_ALWAYS_OURS = (NameError, ImportError)
"""These come from a check's own text, whatever the submission answered."""
_NEEDLESS = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch"),
    *("pastebin", "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "terminal", "threadexception"),
    *("tmpdir", "unittest", "unraisableexception", "warnings"),
)
ARGUMENTS = ("-c", os.devnull, *(word for name in _NEEDLESS for word in ("-p", f"no:{name}")))
ARGUMENTS += ("--noconftest", "--assert=plain", "--capture=no", "--import-mode=importlib")
"""How pytest runs: without ini files, conftest, rewriting of assertions, and the plugins that only cost time here."""


class Judge:
    """A pytest plugin for one submission.

    ``job``, as the engine sent it: tests, given, cells, seconds; fresh (names of the tests that want a sandbox of their
    own), files and file_bytes (what the learner's code has to leave).
    """

    def __init__(self, engine: Channel, job: dict[str, Any]) -> None:
        self._engine, self._job = engine, job
        self._deadline = deadline_in(job["seconds"] * PATIENCE)
        self._remote: Remote | None = None
        self._found: dict[str, Any] = {}

    def tell(self, *message: object) -> None:
        """Say something to the engine."""
        self._engine.send(list(message), deadline_in(10))

    def _mark(self, *message: object) -> None:
        """Say something and go on only when the engine has set aside what was printed up to here."""
        self.tell(*message)
        self._require(b"M")

    def _require(self, word: bytes) -> None:
        if self._reply()[0] != word:
            raise Broken("the engine does not answer")

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
        self._let_go()
        self.tell("sandbox")
        word, descriptors = self._reply()
        if word != b"Y" or not descriptors:
            raise Gone
        remote = Remote(Channel(socket.socket(fileno=descriptors[0])), self._deadline)
        try:
            remote.greet()
            if self._job["files"]:
                remote.take_scratch()
            remote.ask("given", self._job["given"])
        except (Gone, WireError, SubmissionError, Refused) as error:
            raise Broken(f"{type(error).__name__}: {error}") from error
        remote.ask("load", self._job["cells"])
        self._mark("loaded")
        remote.answered = remote.used = False  # loading is nobody's check
        return remote

    def _reply(self) -> tuple[bytes, list[int]]:
        self._engine.sock.settimeout(WARMING)
        word, descriptors, _, _ = socket.recv_fds(self._engine.sock, 1, 1)
        return word, list(descriptors)

    def _let_go(self) -> None:
        if self._remote is not None:
            self._remote.close()
            self._remote = None

    def _end(self) -> int:
        """Have the sandbox ended, with everything that it started; the descriptor of its scratch directory."""
        remote = self.remote()
        self.tell("end")
        self._require(b"E")
        remote.spend()
        return remote.scratch

    def load(self) -> bool:
        """Open the first sandbox and load the submission; tells the engine why not."""
        try:
            self.remote()
        except (Broken, Gone, SubmissionError, Refused, WireError) as error:
            self.tell("unloaded", found(error))
            return False
        return True

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
    def files(self) -> Files:
        """What the submission left in its folder ``answer``; the first look ends the sandbox."""
        return Files(self._job["files"], self._job["file_bytes"], self._end)

    @pytest.fixture
    def draw(self) -> Draw:
        """Random inputs, drawn here with a seed that no submission has seen."""
        return Draw(secrets.randbits(62))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tell what will run before any of the submission does, and let chance say in which order."""
        names = [_name(item) for item in items]
        self.tell("collected", {name: names.count(name) for name in names})
        secrets.SystemRandom().shuffle(items)
        if not self.load():
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a check: what earlier ones heard is forgotten, and where it asks for that, so is their sandbox."""
        if self._remote is not None and self._remote.used and _name(item) in self._job["fresh"]:
            self._let_go()
        if self._remote is not None:
            self._remote.start_check()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Keep what a phase of a check found, without pytest's own account of it (it quotes hidden source)."""
        error = call.excinfo.value if call.excinfo else None
        if error is not None and "kind" not in self._found:
            self._found = self._meaning(error, call.when)
        outcome = "failed" if error is not None else "passed"
        keywords = dict.fromkeys(item.keywords, 1)
        report = pytest.TestReport(item.nodeid, item.location, keywords, outcome, None, call.when)  # type: ignore[arg-type]
        if call.when == "teardown":
            self._mark("result", _name(item), self._found or {"kind": "passed"})
            self._found = {}
        return report

    def _meaning(self, error: BaseException, phase: str) -> dict[str, Any]:
        """What an exception means. An unforeseen one is the learner's only if it may come from what they answered."""
        meant = found(error)
        if meant["kind"] != "unforeseen":
            return meant
        if phase != "call" or self._remote is None or not self._remote.answered or isinstance(error, _ALWAYS_OURS):
            return {**meant, "kind": "broken"}
        return {**meant, "got": show(self._remote.last)}


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
    if type(error) is pytest.fail.Exception:  # what pytest.raises says is English and about the check
        return {"kind": "assertion", "sentence": ""}
    where = "".join(traceback.format_tb(error.__traceback__, limit=-1))
    kind, said = ("broken" if isinstance(error, Broken) else "unforeseen"), f"{type(error).__name__}: {error}"
    print(f"a check broke: {said}\n{where}", file=sys.stderr)  # noqa: T201 - for the operator
    return {"kind": kind, "sentence": said[:_LONGEST]}


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
    except (Broken, Gone, SubmissionError, Refused, WireError, TypeError, ValueError) as error:
        judge.tell("tried", found(error))


def child(_request: Any, descriptors: list[int]) -> None:
    """One forked judge: read the job, do it, say that it is done."""
    engine = Channel(socket.socket(fileno=descriptors[0]))
    job = engine.receive(deadline_in(300))  # the sandbox may have to be warmed anew first
    (try_out if "call" in job else grade)(engine, job)
    engine.send(["done"], deadline_in(10))


def main(socket_number: int, _options: None) -> None:
    """Entry of the judge's zygote. ``socket_number``: the control socket's descriptor."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    control = socket.socket(fileno=socket_number)
    from graders.host import warm

    with forking.mortal(control):
        warm.judge()
    forking.send(control, {"ready": True, "layers": []})
    forking.serve(control, child)
