"""The device at hand and the type of numbers to compute in on it.

A T4 (compute capability 7.5) has no bfloat16, Ampere (8.0) and later have; a CPU computes in float32. Leaves out
several cards at once. torch is imported only to ask for a card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demos.finetuning.spec import Dtype
from demos.params import ParamsError

BFLOAT16_SINCE = (8, 0)
_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


@dataclass(frozen=True, slots=True)
class Device:
    """What a run would compute on."""

    kind: Literal["cpu", "cuda"]
    title: str
    free: int  # bytes
    capability: tuple[int, int] = (0, 0)  # of a card: 7.5 is a T4, 8.0 an A100


def here() -> Device:
    """The first card if there is one, else the processor."""
    import torch

    if not torch.cuda.is_available():
        return Device("cpu", "процессор", free_memory())
    free, _ = torch.cuda.mem_get_info(0)
    return Device("cuda", torch.cuda.get_device_name(0), int(free), torch.cuda.get_device_capability(0))


def choose_dtype(device: Device, asked: Dtype = "auto") -> Literal["float32", "bfloat16", "float16"]:
    """What to compute in: as asked, or the best that the device has.

    Raises:
        ParamsError: bfloat16 is asked of a card that has none.
    """
    no_bfloat16 = device.kind == "cuda" and device.capability < BFLOAT16_SINCE
    if asked == "bfloat16" and no_bfloat16:
        raise ParamsError(f"{device.title} не умеет bfloat16 (он есть у Ampere и новее): выберите float16 или auto.")
    if asked != "auto":
        return asked
    if device.kind == "cpu":
        return "float32"
    return "float16" if no_bfloat16 else "bfloat16"


def free_memory() -> int:
    """Bytes that a new process may take: what the system calls available, or what is left of a container's limit."""
    lines = (line.split() for line in _MEMINFO.read_text().splitlines()) if _MEMINFO.exists() else ()
    available = next((1024 * int(words[1]) for words in lines if words[0] == "MemAvailable:"), 0)
    for limit, used in _CGROUPS:
        if limit.exists() and (text := limit.read_text().strip()).isdigit():
            return min(available or int(text), int(text) - int(used.read_text()))
    return available
