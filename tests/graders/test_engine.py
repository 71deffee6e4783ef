"""The engine on honest work and on the usual slips: each gets its outcome, its sentence and its points."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.host import prove
from graders.host.engine import Engine
from graders.host.zygote import Zygote
from graders.protocol import Job, Outcome, Verdict

pytestmark = pytest.mark.slow
EXERCISES = Path(__file__).parent / "exercises"
ROOT = Path(__file__).resolve().parents[2]
Grade = Callable[..., Verdict]


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.id: check.outcome for check in verdict.checks}


def test_the_folder_proves_itself(engine: Engine) -> None:
    assert prove.prove(EXERCISES / "double", engine) == []


def test_a_right_solution_gets_everything(grade: Grade, solution: str) -> None:
    verdict = grade(solution)
    assert verdict.outcome is Outcome.PASSED
    assert (verdict.points, verdict.possible) == (6, 6)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_a_wrong_check_says_what_where_and_how(grade: Grade, solution: str) -> None:
    verdict = grade(solution.replace("2 * n", "2 * n + 1"))
    assert verdict.outcome is Outcome.PARTIAL
    assert verdict.points == 5
    count = next(check for check in verdict.checks if check.id == "count")
    assert (count.outcome, count.misconception, count.message) == (Outcome.FAILED, "OFF_BY_ONE", "Лишняя единица")
    assert count.expected != count.got
    assert verdict.message == "Лишняя единица"


@pytest.mark.parametrize(
    ("source", "outcome", "said"),
    [
        ("", Outcome.NOT_ATTEMPTED, "пустой"),
        ("\n# потом\n", Outcome.NOT_ATTEMPTED, "пустой"),
        ("x = (1,\ny = 2 ]", Outcome.FAILED, "Синтаксическая ошибка в строке"),
        ("def f():\n\tif 1:\n        return 1\n", Outcome.FAILED, "Синтаксическая ошибка в строке 3"),
        ("print 'привет'", Outcome.FAILED, "Синтаксическая ошибка в строке 1"),
        ("(" * 100_000, Outcome.FAILED, "Синтаксическая ошибка"),
        ("import os\nos._exit(0)", Outcome.CRASHED, "завершила сама себя"),
        ("import sys\nsys.exit(0)", Outcome.FAILED, "exit()"),
        ("import os\nos.abort()", Outcome.CRASHED, "упала с сигналом"),
        ("import ctypes\nctypes.string_at(0)", Outcome.CRASHED, "SIGSEGV"),
        ("while True: pass", Outcome.TIMEOUT, "бесконечного цикла"),
        ("import time\ntime.sleep(1e6)", Outcome.TIMEOUT, "не уложилось"),
        (
            "import signal\nfor n in (2, 14, 15, 24): signal.signal(n, signal.SIG_IGN)\nwhile 1: pass",
            Outcome.TIMEOUT,
            "",
        ),
        ("print('x' * 100_000_000)", Outcome.CRASHED, "печатает слишком много"),
        ("import os\nwhile True: os.write(2, b'y' * 4096)", Outcome.CRASHED, "печатает слишком много"),
        ("x = [0] * 10**10", Outcome.MEMORY, "512 МиБ"),
        ("import torch\ntorch.empty(10**12)", Outcome.MEMORY, "памяти"),
        ("import torch\ntorch.nn.Linear(10**5, 10**5)", Outcome.MEMORY, "памяти"),
        ("import mmap\nm = mmap.mmap(-1, 2**31)\nfor i in range(0, 2**31, 4096): m[i] = 1", Outcome.MEMORY, "памяти"),
        (
            "import os, time\nfor _ in range(4):\n  if os.fork() == 0:\n    x = b'1' * 3 * 10**8\nx = 1\ntime.sleep(9)",
            Outcome.MEMORY,
            "",
        ),
        ("import socket\nsocket.create_connection(('127.0.0.1', 80), 2)", Outcome.FORBIDDEN, "нет"),
        ("import urllib.request\nurllib.request.urlopen('http://example.org', timeout=3)", Outcome.FORBIDDEN, "сети"),
        ("open('/usr/lib/x', 'w')", Outcome.FORBIDDEN, "только чтение"),
        ("open('/tmp/x', 'wb').write(bytes(10**8))", Outcome.FAILED, "File too large"),
        ("import tensorflow", Outcome.FAILED, "tensorflow"),
        ("input()", Outcome.FAILED, "input()"),
        ("1 / 0", Outcome.FAILED, "ZeroDivisionError в строке 1"),
    ],
    ids=lambda value: value[:28].replace("\n", "; ") if isinstance(value, str) else str(value),
)
def test_what_does_not_load_is_named(grade: Grade, source: str, outcome: Outcome, said: str) -> None:
    began = time.monotonic()
    verdict = grade(source)
    assert (verdict.outcome, verdict.points) == (outcome, 0), verdict.message
    assert said in verdict.message.replace("\u00a0", " ")
    assert len(verdict.output) < 100_000
    assert time.monotonic() - began < 5 * 3 + 20, "5 s, or three times that on a busy machine"


@pytest.mark.parametrize(
    ("change", "check", "expected"),
    [
        (
            ("def double(x)", "def doubel(x)"),
            "tensor",
            (Outcome.FAILED, "нет имени double. Похожее имя у вас есть: doubel"),
        ),
        (("def double(x)", "def double(x, y)"), "tensor", (Outcome.FAILED, "Вызов не подошёл к параметрам (x, y)")),
        (("def __init__(self, layer)", "def __init__(self, layer, n)"), "layer", (Outcome.FAILED, "(layer, n)")),
        (("def forward(self, x)", "def forward(self)"), "layer", (Outcome.FAILED, "Вызов не подошёл")),
        (("return 2 * n", "return n.nope"), "count", (Outcome.FAILED, "AttributeError в строке 9")),
        (("return 2 * n", "import os; os._exit(0)"), "count", (Outcome.CRASHED, "завершила сама себя")),
        (("return 2 * n", "return count(n)"), "count", (Outcome.FAILED, "без конца")),
        (("return 2 * n", "raise NotImplementedError"), "count", (Outcome.FAILED, "ещё не написана")),
        (("def count", "async def count"), "count", (Outcome.FAILED, "async")),
        (("return 2 * n", "yield 2 * n"), "count", (Outcome.FAILED, "yield")),
        (("return 2 * n", "return str(2 * n)"), "count", (Outcome.FAILED, "это строка")),
        (("return 2 * n", "return None"), "count", (Outcome.FAILED, "return")),
        (("return 2 * n", "return True"), "count", (Outcome.FAILED, "логическое")),
        (("return 2 * n", "import numpy; return numpy.array(2 * n)"), "count", (Outcome.PROTOCOL, "numpy")),
        (("return 2 * n", "return 10**5000"), "count", (Outcome.PROTOCOL, "велико")),
        (("return 2 * x", "return (2 * x).T"), "tensor", (Outcome.FAILED, "строки и столбцы")),
        (("return 2 * x", "return -2 * x"), "tensor", (Outcome.FAILED, "знак")),
        (("return 2 * x", "return x * float('nan')"), "tensor", (Outcome.FAILED, "NaN")),
        (("return 2 * x", "return (2 * x).tolist()"), "tensor", (Outcome.FAILED, "это список")),
        (("return 2 * x", "return (2 * x).to_sparse()"), "tensor", (Outcome.PROTOCOL, "sparse")),
        (("return 2 * x", "return x.to('meta')"), "tensor", (Outcome.PROTOCOL, "meta")),
    ],
)
def test_one_slip_costs_its_checks_only(
    grade: Grade, solution: str, change: tuple[str, str], check: str, expected: tuple[Outcome, str]
) -> None:
    outcome, said = expected
    verdict = grade(solution.replace(*change))
    found = next(each for each in verdict.checks if each.id == check)
    assert (found.outcome, found.earned) == (outcome, 0), found
    assert said in found.message
    failed = {each.id for each in verdict.checks if each.outcome is not Outcome.PASSED}
    assert failed <= ({"tensor", "negative"} if check == "tensor" else {check})
    assert verdict.outcome is Outcome.PARTIAL


@pytest.mark.parametrize(
    "odd",
    ["torch.Size([2 * n])[0]", "__import__('numpy').int64(2 * n)", "torch.tensor(2 * n)", "int(2 * n)"],
)
def test_honest_variants_of_a_number_are_taken(grade: Grade, solution: str, odd: str) -> None:
    assert grade(solution.replace("return 2 * n", f"return {odd}")).outcome is Outcome.PASSED


def test_a_traceback_shows_the_learners_lines_only(grade: Grade, solution: str) -> None:
    verdict = grade(solution.replace("return 2 * self.layer(x)", "return self.layer(x[:, :1])"))
    trace = verdict.checks[3].traceback
    assert "solution.py, строка 18, в forward\n    return self.layer(x[:, :1])\nRuntimeError" in trace
    assert ".venv" not in trace
    assert "graders" not in trace
    assert "site-packages" not in trace


def test_the_starter_is_not_an_attempt(grade: Grade) -> None:
    verdict = grade((EXERCISES / "double" / "starter.py").read_bytes())
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert not verdict.checks


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-8-sig"])
def test_russian_comments_in_any_encoding_run(grade: Grade, solution: str, encoding: str) -> None:
    assert grade(f"# Удвоение и счёт\n{solution}".encode(encoding)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("source", "word"), [(b"#" * 5_000_000, "велик"), (b"x\0", "нулевые"), (b"PK\x03\x04", "архив")]
)
def test_a_file_that_cannot_be_taken_is_no_attempt(grade: Grade, source: bytes, word: str) -> None:
    verdict = grade(source)
    assert verdict.outcome is Outcome.INVALID_FILE
    assert word in verdict.message


def test_what_was_printed_is_shown_and_inert(grade: Grade, solution: str) -> None:
    verdict = grade(f"print('привет\\x1b[31m', end='!\\n')\nimport sys\nprint('беда', file=sys.stderr)\n{solution}")
    assert verdict.output == "привет�[31m!\nбеда\n"
    assert verdict.outcome is Outcome.PASSED, "a warning on stderr costs nothing"


def test_leftover_threads_and_daemons_do_not_hold_the_verdict(grade: Grade, solution: str) -> None:
    left = """
import os, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
"""
    began = time.monotonic()
    assert grade(left + solution).outcome is Outcome.PASSED
    assert time.monotonic() - began < 20


def test_running_shows_output_value_and_trace(engine: Engine, solution: str) -> None:
    trial = engine.run(Job("double", solution.encode()), "print('раз')\ndouble(given.ones(2)) + ones(2)")
    assert (trial.outcome, trial.output, trial.value) == (Outcome.PASSED, "раз\n", "tensor([3., 3.])")
    assert engine.run(Job("double", solution.encode()), "x = 1").value == ""
    broken = engine.run(Job("double", solution.encode()), "double(")
    assert (broken.outcome, "строке 1" in broken.message) == (Outcome.FAILED, True)
    failing = engine.run(Job("double", b"def double(x):\n    return x / 0\n"), "double(1)")
    assert failing.traceback.splitlines()[0] == "<вызов>, строка 1"
    assert "solution.py, строка 2, в double" in failing.traceback
    huge = engine.run(Job("double", solution.encode()), "'я' * 10**6")
    assert len(huge.value) < 5_000
    assert engine.run(Job("double", b"x = 1\0"), "x").outcome is Outcome.INVALID_FILE


def test_an_unknown_exercise_is_our_fault(engine: Engine) -> None:
    for slug in ("nowhere", "../exercises/double", "", "/etc"):
        assert engine.grade(Job(slug, b"x = 1")).outcome is Outcome.INFRA_ERROR


def test_several_submissions_at_once_do_not_meet(engine: Engine, solution: str) -> None:
    wrong = solution.replace("2 * n", "n")
    jobs = [Job("double", text.encode()) for text in (solution, wrong) * 3]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        points = [verdict.points for verdict in pool.map(engine.grade, jobs)]
    assert points == [6, 5] * 3


def test_inputs_are_drawn_anew_each_time(grade: Grade, solution: str) -> None:
    source = solution.replace("return 2 * n", "print(n); return 2 * n")
    assert len({grade(source).checks[2].output for _ in range(4)}) > 1


def test_a_killed_process_is_started_again(solution: str) -> None:
    with Engine(EXERCISES) as engine:
        job = Job("double", solution.encode())
        assert engine.grade(job).outcome is Outcome.PASSED
        for zygote in (engine._student, engine._judge):
            os.kill(zygote._now.process.pid, signal.SIGKILL)
            assert engine.grade(job).outcome is Outcome.PASSED


def test_without_walls_nothing_is_graded(engine: Engine, solution: str) -> None:
    with Engine(EXERCISES) as fresh:
        fresh._student.close()
        shown = str(Path(sys.base_prefix) / "lib")  # is visible inside, so this sandbox must refuse to start
        options = {"model": None, "hidden": [shown], "tiers": ["A", "B"], "without": []}
        fresh._student = Zygote("graders.inside.zygote", options, shut=True)
        assert "недоступна" in fresh.isolation().problem
        verdict = fresh.grade(Job("double", solution.encode()))
    assert (verdict.outcome, verdict.checks) == (Outcome.INFRA_ERROR, ())
    assert engine.isolation().ready


def test_killing_the_worker_leaves_no_process_behind() -> None:
    script = """
import sys, threading, time
from pathlib import Path
from graders.host.engine import Engine
from graders.host.usage import _family
from graders.protocol import Job
engine = Engine(Path(sys.argv[1]))
engine.isolation()
thread = threading.Thread(target=engine.grade, args=(Job("double", b"import os, time\\nos.fork()\\ntime.sleep(999)"),))
thread.start()
student = engine._student._now.process.pid
while len(_family(student)) < 4:
    time.sleep(0.05)
print(*_family(student), engine._judge._now.process.pid, flush=True)
time.sleep(999)
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", script, str(EXERCISES)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert worker.stdout is not None
    with worker.stdout:
        pids = [int(word) for word in worker.stdout.readline().split()]
    assert len(pids) >= 5
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 20
    while (alive := [pid for pid in pids if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
