"""The same quantization as code of the libraries alone, to take along: text, run by a test and compared.

Leaves out looking at the result.
"""

from __future__ import annotations

from demos.quantization import tables, weights
from demos.quantization.histogram import Params
from demos.quantization.schemes import BNB_BLOCKS, SCHEMES

_ERROR = """
error = ((restored - w).double().square().sum() / w.double().square().sum()).sqrt().item()
print(f"{error:.4%}")"""
_FOUR_BITS = """
from bitsandbytes.functional import dequantize_4bit, quantize_4bit

packed, state = quantize_4bit(w, blocksize={block}, quant_type="{name}", compress_statistics={double})
restored = dequantize_4bit(packed, state).flatten()  # packed: два кода в байте"""
_ROWS = """
block = {block}
rows = torch.cat([w, w[-1:].expand(-len(w) % block)]).view(-1, block)"""
_NESTED = """
from bitsandbytes.functional import dequantize_blockwise, quantize_blockwise

mean = absmax.mean()
absmax = dequantize_blockwise(*quantize_blockwise(absmax - mean, blocksize=256)) + mean"""
_INT8 = """
from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

codes, absmax, _ = int8_vectorwise_quant(rows){nested}
restored = int8_vectorwise_dequant(codes, absmax).flatten()[: len(w)]"""
_ABSMAX = """
absmax = rows.abs().amax(1)
codes = (rows / (absmax / 7)[:, None]).round(){nested}
restored = (codes * (absmax / 7)[:, None]).flatten()[: len(w)]"""
_AFFINE = """
low, high = rows.amin(1, keepdim=True).clamp(max=0), rows.amax(1, keepdim=True).clamp(min=0)
step = (high - low) / {most}
zero = (-low / step).round()
codes = ((rows / step).round() + zero).clamp(0, {most})
restored = ((codes - zero) * step).flatten()[: len(w)]"""
_MINIMUM = """
low, high = rows.amin(1, keepdim=True), rows.amax(1, keepdim=True)
step = (high - low) / {most}
codes = ((rows - low) / step).round()
restored = (low + codes * step).flatten()[: len(w)]"""
_TABLE = """
{table}
absmax = rows.abs().amax(1)
codes = torch.bucketize(rows * (1 / absmax)[:, None], (levels[1:] + levels[:-1]) / 2){nested}
restored = (levels[codes] * absmax[:, None]).flatten()[: len(w)]"""


def histogram(params: Params) -> str:
    """Code that computes ``error``, the relative RMSE of the demo."""
    return f"import torch\n{_numbers(params)}{_outlier(params)}{_scheme(params)}{_ERROR}".strip()


def _numbers(params: Params) -> str:
    generator = f"generator = torch.Generator().manual_seed({params.seed})\n"
    match params.source:
        case "model":
            place = "content/model/model.safetensors"
            return f'from safetensors.torch import load_file\n\nw = load_file("{place}")["{params.tensor}"].flatten()\n'
        case "file":
            place = "ваш файл.safetensors"
            return (
                "from safetensors.torch import load_file\n\n"
                f'w = load_file("{place}")["{params.tensor}"].flatten().float()\n'
            )
        case "own":
            return f"\nw = torch.tensor({list(weights.parse(params.own))})\n"
        case "normal":
            return f"\n{generator}w = torch.randn({params.count}, generator=generator)\n"
        case "heavy":
            return (
                f"\n{generator}top = torch.randn(1, {params.count}, generator=generator)\n"
                f"below = torch.randn({weights.DEGREES}, {params.count}, generator=generator)\n"
                "w = top[0] / below.square().mean(0).sqrt()  # Стьюдент\n"
            )
        case _:
            return (
                f"\n{generator}w = torch.randn({params.count}, generator=generator)\n"
                f"places = torch.randperm({params.count}, generator=generator)[:{params.outliers}]\n"
                f"signs = torch.randint(0, 2, ({params.outliers},), generator=generator) * 2 - 1\n"
                f"w[places] = signs * {float(params.sigmas)}\n"
            )


def _outlier(params: Params) -> str:
    if not params.outlier:
        return ""
    place = (params.lens - 1) * params.block
    return f"w[{place}] = {params.outlier} * w.double().std(correction=0)  # выброс\n"


def _scheme(params: Params) -> str:
    name, scheme = params.scheme, SCHEMES[params.scheme]
    if name in ("nf4", "fp4") and params.block in BNB_BLOCKS:
        return _FOUR_BITS.format(block=params.block, name=name, double=params.double)
    nested = _NESTED if params.double else ""
    most = 2**scheme.bits - 1
    if scheme.way == "absmax":
        body = (_INT8 if scheme.library else _ABSMAX).format(nested=nested)
    elif scheme.way == "table":
        body = _TABLE.format(table=_levels(name), nested=nested)
    else:
        body = (_AFFINE if scheme.way == "affine" else _MINIMUM).format(most=most)
    return _ROWS.format(block=params.block or "len(w)") + body


def _levels(name: str) -> str:
    """Code that makes ``levels``, ascending."""
    if name in ("nf4", "fp4"):
        return (
            "from bitsandbytes.functional import get_4bit_type\n\n"
            f'levels, _ = get_4bit_type("{name}", device="cpu").sort()'
        )
    return f"levels = torch.tensor({list((tables.uniform if name == 'uniform' else tables.bin_means)())})"
