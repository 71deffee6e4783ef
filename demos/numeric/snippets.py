"""Code of torch that repeats the demos of numbers. Leaves out the demos themselves."""

from __future__ import annotations

from demos.numeric import number
from demos.numeric.formats import FORMATS
from demos.numeric.number import Params
from demos.numeric.sums import Params as Sums

_LEVELS = {
    "int8": "code = torch.clamp(torch.round(x / absmax * 127), -127, 127).to(torch.int8)\nvalue = code * absmax / 127",
    "nf4": (
        "from bitsandbytes import functional\n"
        "table = functional.get_4bit_type('nf4', device='cpu')  # 16 уровней\n"
        "code = (table - x / absmax).abs().argmin()\n"
        "value = table[code] * absmax"
    ),
}


def bits(params: Params) -> str:
    """The number of the demo in its format, by torch."""
    meant = number.number(params).value
    spelled = repr(meant) if meant == meant and abs(meant) != float("inf") else f'float("{meant}")'  # noqa: PLR0124
    head = f"import torch\n\nx = torch.tensor({spelled}, dtype=torch.float64)\n"
    if params.format in _LEVELS:
        return f"{head}absmax = {params.absmax!r}\n{_LEVELS[params.format]}\nprint(value.item())"
    whole = {32: "int32", 16: "int16", 8: "uint8"}[FORMATS[params.format].bits]
    mask = (1 << FORMATS[params.format].bits) - 1
    return (
        f"{head}value = x.to(torch.{params.format})\n"
        f'bits = f"{{value.view(torch.{whole}).item() & {mask:#x}:0{FORMATS[params.format].bits}b}}"\n'
        f"print(bits, value.item(), torch.finfo(torch.{params.format}))"
    )


def sums(params: Sums) -> str:
    """The naive sum and the one with a float32 accumulator, by torch."""
    return (
        "import torch\n\n"
        f"dtype = torch.{params.format}\n"
        f"naive = torch.tensor({params.start!r}, dtype=torch.float32).to(dtype)\n"
        f"wide = torch.tensor({params.start!r}, dtype=torch.float32)\n"
        f"term = torch.tensor({params.term!r}, dtype=torch.float32).to(dtype)\n"
        f"for _ in range({params.count}):\n"
        "    naive = (naive.float() + term.float()).to(dtype)  # сумма округляется каждый раз\n"
        "    wide = wide + term.float()  # накопитель FP32\n"
        "naive, wide = naive.item(), wide.to(dtype).item()\n"
        "print(naive, wide)"
    )
