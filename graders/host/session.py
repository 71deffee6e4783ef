"""One grading or trial, watched: a judge and its sandboxes, their output, the deadline. Collects facts, no sentences.

The engine's thread waits here. Whatever happens to the sandbox, the record says what the judge found and how the
sandbox ended; the exit code of the judge is never a result. Leaves out points and words (``graders.host.feedback``).
"""

from __future__ import annotations

import math
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graders.host import usage
from graders.host.output import KEPT, MOST, Output
from graders.host.zygote import Child, Zygote
from graders.wire import Channel, WireError

TICK = 0.05  # seconds between looks at the memory
JUDGE_EXTRA = 8.0  # seconds beyond the deadline after which the judge itself is given up
MOST_SANDBOXES = 64
DYING = 10.0  # seconds within which a killed sandbox has to be gone, with all that it started
BUSY = 2.0
"""The deadline grows by the time for which the sandbox waited for a processor, at most by so many deadlines."""


class Trouble(Exception):
    """Ours, not the learner's; the message is for the log."""


@dataclass(slots=True)
class Record:
    """What happened. ``results``: (check's function name, what the judge found, under ``output`` what was printed)."""

    collected: dict[str, int] = field(default_factory=dict)
    results: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # in the order in which they ran
    unloaded: dict[str, Any] | None = None
    tried: dict[str, Any] | None = None
    output: str = ""  # printed outside the checks
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits of one session."""

    seconds: float
    memory: int  # bytes


class Session:
    """Runs one job. ``judge`` and ``student`` are warm zygotes; use ``run`` once."""

    def __init__(self, judge: Zygote, student: Zygote, terms: Terms, numbers: Iterator[int]) -> None:
        self._zygotes, self._terms, self._numbers = (judge, student), terms, numbers
        self._record, self._selector = Record(), selectors.DefaultSelector()
        self._output: Output | None = None
        self._printed, self._loaded = 0, False  # bytes by sandboxes that are gone; whether the submission ever loaded
        self._sandbox: Child | None = None
        self._spare: socket.socket | None = None  # the judge's end of a sandbox that waits for it
        self._ended = ""  # why no more sandboxes are given: "timeout" or "output"
        self._why = ""  # why this sandbox was killed
        self._opened, self._deadline, self._baseline = 0, math.inf, int(student.wait()["memory"])
        self._done, self._started = False, math.inf

    def run(self, job: dict[str, Any]) -> Record:
        """Fork both halves, wait for the end, clean up.

        Raises:
            Trouble: our own processes failed.
            Lost: a zygote cannot be had.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            judge = None
            try:
                self._open()
                judge = self._zygotes[0].fork({}, [theirs.fileno()])
                theirs.close()
                self._watch(Channel(ours), judge, {**job, "seconds": self._terms.seconds})
            except WireError as error:
                raise Trouble(f"judge: {error}") from error
            finally:
                if judge is not None:
                    judge.close()
                self._shut()
                self._selector.close()
        return self._record

    def _open(self) -> None:
        """Fork a sandbox; the judge will ask for its end of the wire."""
        self._opened += 1
        ours, theirs = socket.socketpair()
        output = Output()
        self._output = output
        seconds = math.ceil(self._terms.seconds) + 1
        terms = {"number": next(self._numbers), "seconds": seconds, "memory": self._terms.memory}
        with theirs:
            self._sandbox = self._zygotes[1].fork(terms, [theirs.fileno(), output.writing])
        output.hand_over()
        self._spare, self._why = ours, ""
        self._selector.register(self._sandbox.status, selectors.EVENT_READ, self._sandbox_moved)
        self._selector.register(output.reading, selectors.EVENT_READ, self._hear)

    def _watch(self, channel: Channel, judge: Child, job: dict[str, Any]) -> None:
        channel.send(job, time.monotonic() + 10)
        self._started = time.monotonic()
        self._deadline = self._started + self._terms.seconds
        self._selector.register(channel.sock, selectors.EVENT_READ, lambda: self._judge_said(channel))
        self._selector.register(judge.status, selectors.EVENT_READ, lambda: self._judge_moved(judge))
        while not self._done:
            for key, _ in self._selector.select(TICK):
                if self._selector.get_map().get(key.fd) == key:  # an earlier answer of this round may have closed it
                    key.data()
            self._keep_limits()
        self._record.seconds = time.monotonic() - self._started

    def _judge_said(self, channel: Channel) -> None:
        word, *rest = channel.receive(time.monotonic() + 5)
        if word == "sandbox":
            self._give(channel.sock)
        elif word == "collected":
            self._record.collected = rest[0]
        elif word == "loaded":
            self._has_loaded()
            channel.sock.sendall(b"M")
        elif word == "end":
            self._end_for_good(channel.sock)
        elif word == "result":
            found = self._with_end(rest[1])
            self._record.results.append((rest[0], {**found, "output": self._take()}))
            channel.sock.sendall(b"M")
        elif word == "unloaded":
            self._record.unloaded = self._with_end(rest[0])
        elif word == "tried":
            self._record.tried = self._with_end(rest[0])
        elif word == "done":
            self._done = True
        else:
            raise Trouble(f"judge: {rest}")

    def _judge_moved(self, judge: Child) -> None:
        judge.update()
        if judge.code is not None:  # its last words may still be in the channel; without them its end is told there
            self._selector.unregister(judge.status)

    def _give(self, judge: socket.socket) -> None:
        """Answer the judge's wish for a sandbox: the one that waits, a new one, or none."""
        if self._spare is None and not self._ended and self._opened < MOST_SANDBOXES:
            self._shut()
            self._open()
        if self._spare is None:
            self._why = ""  # whoever asked is not the one for whom the last sandbox was ended
            judge.sendall(b"N")
            return
        socket.send_fds(judge, [b"Y"], [self._spare.fileno()])
        self._spare.close()
        self._spare = None

    def _sandbox_moved(self) -> None:
        if self._sandbox is None:
            return
        if self._sandbox.code is None:
            self._sandbox.update()
        if self._sandbox.code is not None:
            self._selector.unregister(self._sandbox.status)

    def _hear(self) -> None:
        if self._output is None:
            return
        if not self._output.read():
            self._selector.unregister(self._output.reading)
        if self._printed + self._output.size > MOST:
            self._end("output")

    def _take(self) -> str:
        """What was printed since the last look: the sandbox flushes before it answers, so all of it is in the pipe."""
        if self._output is None:
            return ""
        self._output.drain()
        return self._output.take()

    def _has_loaded(self) -> None:
        """What a submission prints while it is loaded again for another check repeats the first time."""
        printed = self._take()
        if not self._loaded:
            self._add(printed)
        self._loaded = True

    def _add(self, printed: str) -> None:
        if len(self._record.output) < 2 * KEPT:  # many sandboxes, each with its last words, would add up
            self._record.output += printed

    def _end_for_good(self, judge: socket.socket) -> None:
        """Kill the sandbox; the judge hears of it when nothing of it is left that could write to a file."""
        if self._sandbox is not None:
            self._sandbox.kill()
            if not self._sandbox.wait(DYING):
                raise Trouble("a killed sandbox does not end")
        judge.sendall(b"E")

    def _keep_limits(self) -> None:
        now = time.monotonic()
        if self._sandbox is not None and self._sandbox.pidfd >= 0:  # a busy machine is nobody's mistake
            spare = min(usage.waited(self._sandbox.pidfd), BUSY * self._terms.seconds)
            self._deadline = max(self._deadline, self._started + self._terms.seconds + spare)
        if now > self._deadline and not self._ended:
            self._end("timeout")
        if now > self._deadline + JUDGE_EXTRA:
            raise Trouble("the judge does not come to an end")
        alive = self._sandbox is not None and self._sandbox.pidfd >= 0 and self._sandbox.code is None
        if self._sandbox and alive and usage.memory(self._sandbox.pidfd, self._baseline) > self._terms.memory:
            self._why = "memory"
            self._sandbox.kill()

    def _end(self, why: str) -> None:
        self._ended = self._why = why
        if self._sandbox is not None:
            self._sandbox.kill()

    def _with_end(self, found: dict[str, Any]) -> dict[str, Any]:
        """``found``; where the sandbox was gone, with why: a limit, or the code it ended with.

        Raises:
            Trouble: our own part broke, and no limit was the reason.
        """
        limited = bool(self._why or self._ended)
        if found.get("kind") == "broken" and not limited:
            raise Trouble(f"judge: {found.get('sentence')}")
        if found.get("kind") not in {"gone", "broken"}:
            return found
        if self._sandbox is not None and not limited:
            self._sandbox.wait(1)
        code = self._sandbox.code if self._sandbox is not None else None
        never = bool(self._ended) and not self._why
        return {"kind": "gone", "why": self._why or self._ended, "code": code, "never": never}

    def _shut(self) -> None:
        if self._spare is not None:
            self._spare.close()
            self._spare = None
        if self._sandbox is not None and self._output is not None:
            for item in (self._sandbox.status, self._output.reading):
                if self._registered(item):
                    self._selector.unregister(item)
            self._sandbox.close()
            self._add(self._take())
            self._printed += self._output.size
            self._output.close()
            self._sandbox = self._output = None

    def _registered(self, item: Any) -> bool:
        try:
            return item in self._selector.get_map()
        except ValueError:
            return False
