"""The compute process: typed answers, and no demo, however bad, takes it or the app with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demos import registry
from jobs import compute, process
from jobs.compute import ComputeError
from settings import ROOT
from tests.jobs import heavy

pytestmark = pytest.mark.slow
DEADLINE = 2.0


@pytest.fixture(scope="module", autouse=True)
def demos() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "DEMOS", heavy.DEMOS)
        compute.result_type.cache_clear()
        yield
    compute.result_type.cache_clear()


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COURSE_DATA_DIR": str(folder),
        "TEST_DEADLINE": str(DEADLINE),
        process.PARENT: str(os.getpid()),
    }
    with (folder / "compute.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.heavy"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("compute")
    server = start(made)
    wait_for(made / "run" / "compute.sock")
    yield made
    server.terminate()
    assert server.wait(10) == 0
    assert not (made / "run" / "compute.sock").exists()


@pytest.fixture
def address(folder: Path) -> Path:
    return folder / "run" / "compute.sock"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, "the compute process did not start"
        time.sleep(0.05)


def call(address: Path, **params: object) -> heavy.Result:
    answer = compute.call("test.heavy", params, address=address)
    assert isinstance(answer, heavy.Result)
    return answer


def test_a_typed_result_from_another_process(address: Path) -> None:
    answer = call(address, size=4)
    assert (answer.trace, answer.shape) == (4.0, (4, 4))
    assert answer.pid != os.getpid()


def test_the_caller_loads_no_torch(folder: Path) -> None:
    code = (
        "import sys; from demos import registry; from tests.jobs import heavy; registry.DEMOS = heavy.DEMOS\n"
        "from jobs import compute; print(compute.call('test.heavy', {'size': 2}).trace, 'torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COURSE_DATA_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2.0 False\n"


def test_a_warm_call_is_fast(address: Path) -> None:
    call(address)
    spans = []
    for _ in range(5):
        started = time.perf_counter()
        call(address)
        spans.append(time.perf_counter() - started)
    assert min(spans) < 0.5, spans


def test_bad_values_are_refused_before_they_are_sent(tmp_path: Path) -> None:
    with pytest.raises(registry.ParamsError):
        compute.call("test.heavy", {"size": 0}, address=tmp_path / "nobody")


def test_values_that_do_not_go_together_are_refused_in_the_demos_own_words(address: Path) -> None:
    with pytest.raises(registry.ParamsError, match="не сочетаются: возьмите другой размер"):
        call(address, behaviour="refuse")


@pytest.mark.parametrize(
    ("behaviour", "part"),
    [("sleep", "секунд"), ("die", "оборвался"), ("fail", "ошибка"), ("numpy", "ошибка"), ("eat", "памяти")],
)
def test_a_failure_is_a_sentence_and_the_next_call_works(address: Path, behaviour: str, part: str) -> None:
    started = time.monotonic()
    with pytest.raises(ComputeError, match=part):
        call(address, behaviour=behaviour, size=8)
    assert time.monotonic() - started < DEADLINE + 3
    assert call(address, size=2).trace == 2.0


def test_calls_run_side_by_side_and_a_slow_one_stops_nobody(address: Path) -> None:
    errors: list[str] = []

    def slow() -> None:
        try:
            call(address, behaviour="sleep")
        except ComputeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    assert call(address).trace == 3.0
    assert time.monotonic() - started < DEADLINE / 2
    thread.join(20)
    assert len(errors) == 1


def test_more_calls_than_hands_all_get_their_answer(address: Path) -> None:
    answers: list[float] = []
    threads = [threading.Thread(target=lambda: answers.append(call(address, size=5).trace)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [5.0] * 12


def test_a_caller_that_leaves_or_talks_nonsense_harms_nobody(address: Path) -> None:
    for message in (b"", b"\xff\xff\xff\xff", b"\x00\x00\x00\x05hello"):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(address))
            stranger.sendall(message)
    assert call(address).trace == 3.0


def test_strays_of_a_child_are_killed_with_it(folder: Path, address: Path) -> None:
    assert call(address, behaviour="stray").trace == 3.0
    server = psutil.Process(find_server(folder))
    deadline = time.monotonic() + DEADLINE + 5
    while server.children(recursive=True) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.children(recursive=True) == []
    assert call(address).trace == 3.0


def test_the_socket_is_for_its_owner_alone(address: Path) -> None:
    assert address.stat().st_mode & 0o777 == 0o600


def test_an_absent_process_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 120.0)  # importing torch takes long on a busy machine
    answers: list[float] = []
    late = tmp_path / "run" / "compute.sock"
    thread = threading.Thread(target=lambda: answers.append(call(late).trace))
    thread.start()
    server = start(tmp_path)
    try:
        thread.join(60)
        assert answers == [3.0]
    finally:
        server.kill()
        server.wait()


def test_a_killed_process_leaves_a_stale_socket_that_the_next_one_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 120.0)
    where = tmp_path / "run" / "compute.sock"
    first = start(tmp_path)
    wait_for(where)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = start(tmp_path)
    try:
        assert call(where).trace == 3.0
    finally:
        second.kill()
        second.wait()


def test_nobody_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 0.4)
    with pytest.raises(ComputeError, match="перезапускается"):
        call(tmp_path / "compute.sock")


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("very-long-name-" * 8) / "data"
    deep.mkdir(parents=True)
    server = start(deep)
    try:
        wait_for(deep / "run" / "compute.sock")
        assert call(deep / "run" / "compute.sock").trace == 3.0
    finally:
        server.kill()
        server.wait()


def find_server(folder: Path) -> int:
    for found in psutil.process_iter(["cmdline", "environ"]):
        words, environment = found.info["cmdline"] or [], found.info["environ"] or {}
        if "tests.jobs.heavy" in words and environment.get("COURSE_DATA_DIR") == str(folder):
            return int(found.pid)
    raise AssertionError("no server")
