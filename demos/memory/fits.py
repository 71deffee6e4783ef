"""«Влезет?»: bytes against the memory of usual devices, with what of it a step may take.

Memory of a GPU is what its driver reports, and a tenth is kept for what an allocator loses between blocks. A Mac lends
its GPU two thirds of the shared memory, three quarters from 36 GB on (Metal's recommendedMaxWorkingSetSize). Of a CPU's
memory a fifth stays for the system. Leaves out several cards (``demos.timing.zero``) and offloading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.memory.training import USABLE
from demos.params import Checked, parameter

GIB, MIB, GB = 2**30, 2**20, 10**9
Verdict = Literal["yes", "paged", "tight", "no"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device and the part of its memory that may be taken."""

    title: str
    memory: int
    share: float
    note: str = ""


_CARD = USABLE["cuda"]
DEVICES = (
    Device("T4", 15360 * MIB, _CARD, "нет bfloat16: считайте в float16"),
    Device("L4", 23034 * MIB, _CARD),
    Device("RTX 3090", 24576 * MIB, _CARD),
    Device("RTX 4090", 24564 * MIB, _CARD),
    Device("A100 40 ГБ", 40960 * MIB, _CARD),
    Device("A100 80 ГБ", 81920 * MIB, _CARD),
    Device("H100 80 ГБ", 81559 * MIB, _CARD),
    Device("H200", 143771 * MIB, _CARD),
    Device("Mac, 16 ГБ", 16 * GIB, 2 / 3, "память общая; NF4 от bitsandbytes здесь не обучают"),
    Device("Mac, 64 ГБ", 64 * GIB, 3 / 4, "память общая; NF4 от bitsandbytes здесь не обучают"),
    Device("CPU, 32 ГБ ОЗУ", 32 * GIB, USABLE["cpu"], "медленно"),
    Device("CPU, 256 ГБ ОЗУ", 256 * GIB, USABLE["cpu"], "медленно"),
)


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What has to go in, in GB (10⁹ bytes); ``paged`` is the part that may move to the machine's own memory."""

    need: float = parameter(24.0, "Нужно памяти, ГБ", low=0.0, high=10.0**6)
    paged: float = parameter(
        0.0, "Из них можно вытеснить, ГБ", low=0.0, high=10.0**6, note="моменты paged-оптимизатора"
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One device. Sizes in bytes."""

    title: str
    memory: int
    usable: int
    left: int  # usable less what is needed; negative when it does not fit
    verdict: Verdict
    note: str


@dataclass(frozen=True, slots=True)
class Result:
    """Devices in their usual order."""

    need: int
    paged: int
    rows: tuple[Row, ...]


def fits(params: Params) -> Result:
    """Where that many bytes go in."""
    return table(round(params.need * GB), round(min(params.paged, params.need) * GB))


def table(need: int, paged: int = 0) -> Result:
    """Where ``need`` bytes go in, ``paged`` of them only if there is room."""
    return Result(need, paged, tuple(_row(device, need, paged) for device in DEVICES))


def _row(device: Device, need: int, paged: int) -> Row:
    usable = int(device.memory * device.share)
    verdict: Verdict = "no"
    if need <= usable:
        verdict = "yes"
    elif paged and need - paged <= usable and "CPU" not in device.title and "Mac" not in device.title:
        verdict = "paged"
    elif need <= device.memory:
        verdict = "tight"
    return Row(device.title, device.memory, usable, usable - need, verdict, device.note)
