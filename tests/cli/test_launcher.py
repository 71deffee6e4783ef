"""The launcher ``course`` against invented machines: each obstacle gives its one sentence, and nothing is done twice.

The interpreter is a shell script that answers as a Python of a chosen version would and writes down what pip was asked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from settings import ROOT

pytestmark = pytest.mark.slow

PIN = next(
    line.partition("==")[2]
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.startswith("torch==")
)
TOOLS = re.findall(
    r"\w+", "sh dirname readlink uname cat cksum mkdir rm mv ls df awk sed tee tail grep sleep cp kill env basename"
)

PYTHON = r"""#!/bin/sh
case "$1 $2" in
    "-m venv")
        [ -z "$VENV_ERROR" ] || { echo "$VENV_ERROR"; exit 1; }
        mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo home >"$3/pyvenv.cfg" && echo "venv $3" >>"$CALLS"
        ;;
    "-m pip")
        [ "$3" != --version ] || exit 0
        shift 2
        echo "pip $*" >>"$CALLS"
        [ -z "$PIP_SECONDS" ] || sleep "$PIP_SECONDS"
        case " $* " in *"$PIP_FAILS_ON"*) [ -z "$PIP_FAILS_ON" ] || { echo "ERROR: $PIP_ERROR"; exit 1; } ;; esac
        case " $* " in
            *" torch==PIN+cpu "*) echo PIN+cpu >"$HERE/torch" ;;
            *" torch=="*) echo PIN >"$HERE/torch" ;;
        esac
        ;;
    "-P -m") shift 3; echo "runs:" "$@" ;;
    *)
        case "$2" in
            *'version("torch")'*) cat "$HERE/torch" ;;
            *ensurepip*) [ -z "$NO_ENSUREPIP" ] ;;
            *) exec REAL -c "
import platform, sys
sys.version_info = (*map(int, 'VERSION'.split('.')), 'final', 0)
platform.python_version = lambda: 'VERSION'
$2" ;;
        esac
        ;;
esac
"""


@dataclass
class Machine:
    """A checkout and a PATH of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "the course"

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def python(self, version: str = "3.11.7", name: str = "python3") -> None:
        self.program(name, PYTHON.replace("REAL", sys.executable).replace("VERSION", version).replace("PIN", PIN))

    def run(self, *words: str, program: str = "./course", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *words], capture_output=True, text=True, timeout=60, **self.options(environment), check=False
        )

    def options(self, environment: dict[str, str]) -> dict[str, object]:
        base = {"PATH": str(self.folder / "bin"), "CALLS": str(self.folder / "calls"), "HERE": str(self.folder)}
        unset = dict.fromkeys(["VENV_ERROR", "PIP_SECONDS", "PIP_FAILS_ON", "PIP_ERROR", "NO_ENSUREPIP"], "")
        return {"cwd": self.root, "env": {**base, **unset, **self.environment, **environment}}

    def calls(self, start: str = "") -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(start)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.root.mkdir()
    for name in ("course", "requirements.txt", "requirements-test.txt", "constraints.txt"):
        shutil.copy(ROOT / name, made.root / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    made.python()
    return made


def one_sentence(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    assert re.search(r"[а-яё]", lines[-1]), text
    assert "Traceback" not in text
    return lines[-1]


def test_the_first_start_installs_and_the_second_does_not_touch_pip(machine: Machine) -> None:
    first = machine.run("start", "--port", "8600")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "runs: start --port 8600\n"
    installs = machine.calls("pip install")
    assert f"torch=={PIN}+cpu" in installs[0]
    assert installs[1].endswith("requirements.txt")
    assert all("constraints.txt" in line for line in installs)

    second = machine.run("start")
    assert second.stdout == "runs: start\n"
    assert second.stderr == ""
    assert machine.calls("pip install") == installs


def test_changed_requirements_are_installed_at_the_next_start(machine: Machine) -> None:
    machine.run("start")
    with (machine.root / "constraints.txt").open("a") as constraints:
        constraints.write("colorama==0.4.6\n")
    before = len(machine.calls("pip install"))
    assert machine.run("start").returncode == 0
    assert len(machine.calls("pip install")) == before + 1
    assert len(machine.calls("venv")) == 1


def test_tests_get_their_own_requirements_and_start_needs_nothing_after_them(machine: Machine) -> None:
    machine.run("test", "--quick")
    assert machine.calls("pip install")[-1].endswith("requirements-test.txt")
    installed = machine.calls()
    machine.run("start")
    assert machine.calls() == installed


def test_an_upgraded_python_gets_a_look_by_pip(machine: Machine) -> None:
    machine.run("start")
    before = len(machine.calls("pip install"))
    python = machine.venv / "bin" / "python"
    python.write_text(python.read_text().replace("3.11.7", "3.12.1"))
    machine.run("start")
    assert len(machine.calls("pip install")) > before


def test_arguments_and_folders_with_spaces_arrive_whole(machine: Machine) -> None:
    (machine.folder / "elsewhere").mkdir()
    link = machine.folder / "elsewhere" / "link"
    link.symlink_to(Path("..") / "the course" / "course")
    done = machine.run("grade", "lora-linear", "мой файл.py", program=str(link))
    assert done.stdout == "runs: grade lora-linear мой файл.py\n"
    assert machine.venv.is_dir()


@pytest.mark.parametrize("version", ["3.9.2", "3.10.14", "3.14.0"])
def test_a_python_out_of_range_is_named(machine: Machine, version: str) -> None:
    machine.python(version)
    done = machine.run("start")
    assert done.returncode == 1
    assert f"а здесь Python {version}" in one_sentence(done.stderr)
    assert not machine.venv.exists()


def test_a_suitable_python_is_found_beside_an_old_one(machine: Machine) -> None:
    machine.python("3.9.2", "python3")
    machine.python("3.12.4", "python3.12")
    done = machine.run("start")
    assert done.returncode == 0
    assert "Python 3.12.4" in done.stderr


def test_no_python_at_all(machine: Machine) -> None:
    (machine.folder / "bin" / "python3").unlink()
    assert "Python не найден" in one_sentence(machine.run("start").stderr)


def test_a_chosen_python_that_does_not_run(machine: Machine) -> None:
    assert "COURSE_PYTHON" in one_sentence(machine.run("start", COURSE_PYTHON="/no/such python").stderr)


def test_missing_ensurepip_names_the_debian_package(machine: Machine) -> None:
    done = machine.run("start", NO_ENSUREPIP="yes")
    assert done.returncode == 1
    assert "apt install python3.11-venv" in one_sentence(done.stderr)


@pytest.mark.parametrize(
    ("system", "processor", "part"),
    [("MINGW64_NT-10.0", "x86_64", "WSL2"), ("FreeBSD", "amd64", "FreeBSD"), ("Linux", "riscv64", "riscv64")],
)
def test_unsupported_platforms_are_refused(machine: Machine, system: str, processor: str, part: str) -> None:
    machine.program("uname", f'#!/bin/sh\n[ "$1" = -m ] && echo {processor} || echo {system}\n')
    done = machine.run("start")
    assert done.returncode == 1
    assert part in one_sentence(done.stderr)
    assert machine.calls() == []


def test_macos_runs_without_grading_and_says_so(machine: Machine) -> None:
    machine.program("uname", '#!/bin/sh\n[ "$1" = -m ] && echo arm64 || echo Darwin\n')
    done = machine.run("start")
    assert done.returncode == 0
    assert "кроме проверки решений" in done.stderr
    assert "+cpu" not in machine.calls("pip install")[0]  # PyTorch's only build there has no tag


def test_no_write_access(machine: Machine) -> None:
    done = machine.run("start", COURSE_VENV="/proc/course")
    assert done.returncode == 1
    assert "Нет права записи" in one_sentence(done.stderr)


def test_a_full_disk_while_the_environment_is_made(machine: Machine) -> None:
    done = machine.run("start", VENV_ERROR="Error: [Errno 28] No space left on device")
    assert "Нет места на диске" in one_sentence(done.stderr)
    assert not machine.venv.exists()


def test_a_full_disk_while_packages_are_installed(machine: Machine) -> None:
    error = "Could not install packages due to an OSError: [Errno 28] No space left on device"
    done = machine.run("start", PIP_FAILS_ON="requirements.txt", PIP_ERROR=error)
    assert done.returncode == 1
    assert "Нет места на диске" in one_sentence(done.stderr)


def test_too_little_space_is_said_before_the_download(machine: Machine) -> None:
    machine.program("df", "#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho /dev/x 9 9 1024000 9 /\n")
    done = machine.run("start")
    assert "свободно 1000 МБ" in one_sentence(done.stderr)
    assert machine.calls("pip install") == []


def test_no_network(machine: Machine) -> None:
    error = "NewConnectionError: Temporary failure in name resolution"
    done = machine.run("start", PIP_FAILS_ON="install", PIP_ERROR=error)
    assert "нет связи с хранилищем пакетов" in one_sentence(done.stderr)
    assert machine.run("start").returncode == 0, "the next try succeeds without any cleaning"


@pytest.mark.parametrize("damage", ["dangling", "silent"])
def test_a_broken_environment_is_built_anew(machine: Machine, damage: str) -> None:
    machine.run("start")
    python = machine.venv / "bin" / "python"
    python.unlink()
    if damage == "dangling":
        python.symlink_to("/no/such/python")
    else:
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
    done = machine.run("start")
    assert done.returncode == 0, done.stderr
    assert "повреждено" in done.stderr
    assert done.stdout == "runs: start\n"


def test_a_folder_that_is_not_ours_is_never_deleted(machine: Machine) -> None:
    (machine.folder / "precious").mkdir()
    (machine.folder / "precious" / "thesis.txt").write_text("years of work")
    done = machine.run("start", COURSE_VENV=str(machine.folder / "precious"))
    assert done.returncode == 1
    assert "занято чем-то другим" in one_sentence(done.stderr)
    assert (machine.folder / "precious" / "thesis.txt").exists()


def test_two_at_once_install_once(machine: Machine) -> None:
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    options = machine.options({"PIP_SECONDS": "1.2"})
    both = [subprocess.Popen(["./course", "start"], **words, **options) for _ in range(2)]  # type: ignore[call-overload]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [out for out, _ in outputs] == ["runs: start\n"] * 2
    assert len(machine.calls("venv")) == 1
    assert len(machine.calls("pip install")) == 2  # torch, then the rest
    assert not (machine.root / ".venv.lock").exists()


def test_a_lock_of_a_dead_launcher_is_taken_over(machine: Machine) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock = machine.root / ".venv.lock"
    lock.mkdir()
    (lock / "pid").write_text(f"{gone.pid}\n")
    assert machine.run("start").returncode == 0
    assert not lock.exists()


def test_an_interrupted_install_leaves_no_lock_and_is_taken_up(machine: Machine) -> None:
    failed = machine.run("start", PIP_FAILS_ON="requirements.txt", PIP_ERROR="something else")
    assert failed.returncode == 1
    assert str(machine.venv) in one_sentence(failed.stderr)
    assert not (machine.root / ".venv.lock").exists()
    assert machine.run("start").stdout == "runs: start\n"


def test_torch_comes_from_pytorchs_index_where_ours_has_no_cpu_build(machine: Machine) -> None:
    # The first try names no index; only it is refused.
    machine.run("start", PIP_FAILS_ON="--retries 1 torch==", PIP_ERROR="No matching distribution found")
    first, second, third = machine.calls("pip install")
    assert "--index-url" not in first
    assert f"--index-url https://download.pytorch.org/whl/cpu torch=={PIN}+cpu" in second
    assert third.endswith("requirements.txt")


def test_the_large_torch_is_the_last_resort_and_is_announced(machine: Machine) -> None:
    done = machine.run("start", PIP_FAILS_ON="+cpu ", PIP_ERROR="No matching distribution found")
    assert done.returncode == 0
    assert "это несколько гигабайт" in done.stderr
    assert machine.calls("pip install")[2].endswith(f" torch=={PIN}")


def test_an_nvidia_card_brings_the_cuda_build_unless_cpu_is_chosen(machine: Machine) -> None:
    machine.program("nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA H200'\n")
    machine.run("start")
    assert machine.calls("pip install")[0].endswith(f" torch=={PIN},!={PIN}+cpu")
    machine.run("start", COURSE_TORCH="cpu")
    assert f"torch=={PIN}+cpu" in "\n".join(machine.calls("pip install"))


def test_cuda_can_be_chosen_and_replaces_the_cpu_build(machine: Machine) -> None:
    machine.run("start")
    machine.run("start", COURSE_TORCH="cuda")
    assert f" torch=={PIN},!={PIN}+cpu" in "\n".join(machine.calls("pip install"))
    assert "COURSE_TORCH" in one_sentence(machine.run("start", COURSE_TORCH="tpu").stderr)


def test_the_launcher_is_executable_and_speaks_plain_sh() -> None:
    assert os.access(ROOT / "course", os.X_OK)
    assert (ROOT / "course").read_text().startswith("#!/bin/sh\n")
    shell = shutil.which("dash") or "sh"
    assert subprocess.run([shell, "-n", ROOT / "course"], check=False).returncode == 0
