"""``./course start``: checks that the course can run here, prepares its data, then runs the supervisor.

Every obstacle is one Russian sentence. Leaves out keeping the processes alive (``jobs.supervisor``).
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from settings import ROOT, Settings

LOWEST_FREE_SPACE = 50 * 2**20


class CannotStart(RuntimeError):
    """The message is one Russian sentence for the operator."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "start",
        help="открыть курс: приложение, проверка решений, вычислитель",
        description="Запускает курс и печатает адрес. Остановить: Ctrl-C.",
    )
    parser.add_argument("--port", type=int, metavar="ЧИСЛО", help="порт; по умолчанию 8501")
    parser.add_argument("--host", metavar="АДРЕС", help="адрес; в локальном режиме — только 127.0.0.1")
    parser.add_argument("--demo", action="store_true", default=None, help="с выдуманной группой, чтобы увидеть отчёты")
    parser.add_argument("--data-dir", type=_folder, metavar="ПАПКА", help="где хранить базу и журналы")


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the course until Ctrl-C."""
    from jobs import supervisor

    try:
        with _data_folder(settings):
            _check_port(settings)
            _prepare(settings)
            _supervise(settings)
    except (CannotStart, supervisor.StartFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error, settings.data_dir), file=sys.stderr)
        return 1
    print("Курс остановлен.")
    return 0


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


@contextmanager
def _data_folder(settings: Settings) -> Iterator[None]:
    """The data folder, made and locked: two courses on one folder would fight over its database."""
    import fcntl

    (settings.data_dir / "run").mkdir(parents=True, exist_ok=True)
    settings.logs.mkdir(exist_ok=True)
    free = os.statvfs(settings.data_dir)
    if free.f_bavail * free.f_frsize < LOWEST_FREE_SPACE:
        raise OSError(errno.ENOSPC, "no space", str(settings.data_dir))
    path = settings.data_dir / "run" / "course.lock"
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Курс с данными в {settings.data_dir} уже запущен: откройте {path.read_text() or 'его адрес'} "
                "или остановите его (Ctrl-C в том окне)."
            ) from None
        lock.truncate(0)
        lock.write(_address(settings))
        lock.flush()
        yield


def _check_port(settings: Settings) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise CannotStart(f"Адрес «{settings.host}» не найден: укажите 127.0.0.1.") from None
    except OSError as error:
        raise CannotStart(_explain_port(error.errno, settings)) from None


def _explain_port(code: int | None, settings: Settings) -> str:
    if code == errno.EADDRINUSE:
        return (
            f"Порт {settings.port} занят другой программой: запустите на свободном — "
            f"./course start --port {_free_port(settings)}"
        )
    if code == errno.EACCES:
        return f"Порт {settings.port} доступен только администратору: укажите порт от 1024, например 8501."
    if code == errno.EADDRNOTAVAIL:
        return f"У этой машины нет адреса {settings.host}: укажите 127.0.0.1."
    return f"Порт {settings.port} не открывается ({os.strerror(code or 0)}): укажите другой, например 8502."


def _free_port(settings: Settings) -> int:
    for port in range(settings.port + 1, min(settings.port + 50, 65536)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    return 8600


def _prepare(settings: Settings) -> None:
    command = [sys.executable, "-P", "-m", "cli.prepare"]
    done = subprocess.run(command, cwd=ROOT, env=_environment(settings), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return
    (settings.logs / "prepare.log").write_text(done.stderr)
    lines = done.stderr.strip().splitlines() or ["причина неизвестна"]
    if len(lines) == 1:
        raise CannotStart(lines[0])
    raise CannotStart(f"База данных не готова: {lines[-1]}. Подробности — {settings.logs / 'prepare.log'}")


def _supervise(settings: Settings) -> None:
    from jobs import supervisor

    grading = sys.platform == "linux"
    course = supervisor.Supervisor(
        services=supervisor.course(grading=grading),
        logs=settings.logs,
        environment=_environment(settings),
        directory=ROOT,
        say=_say,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        course.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    course.run(
        ready=lambda: supervisor.answers(settings.host, settings.port),
        announce=lambda: _announce(settings, grading),
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **settings.environment(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _announce(settings: Settings, grading: bool) -> None:
    _say(f"\n  Донастройка открыта: {_address(settings)}\n\n  Остановить: Ctrl-C. Журналы: {settings.logs}")
    if not grading:
        _say("  Проверка решений здесь выключена: ей нужна песочница Linux.")


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def explain(error: OSError, folder: Path) -> str:
    """The sentence for what the disk with ``folder`` refused."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"Нет места на диске с данными ({folder}): освободите место и повторите."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"Нет права записи в папку данных {folder}: укажите другую в COURSE_DATA_DIR или ключом --data-dir."
    if error.errno in {errno.EEXIST, errno.ENOTDIR, errno.ENOENT}:
        return f"Папку данных {folder} создать нельзя: укажите другую в COURSE_DATA_DIR или ключом --data-dir."
    return f"Курс не запустился: {error.strerror or error} ({error.filename or folder})."


def _say(text: str) -> None:
    print(text, flush=True)
