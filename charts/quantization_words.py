"""Words of the quantization charts: where numbers come from, what a block is called. Leaves out figures."""

from __future__ import annotations

from common import numbers
from demos.quantization.errors import Errors
from demos.quantization.schemes import BNB_BLOCKS, SCHEMES
from demos.quantization.weights import Origin

SYNTHETIC = (
    "Эти числа придуманы генератором, а не взяты из модели: у такой маленькой модели, как в курсе, "
    "собственных выбросов в весах нет."
)


def origin(one: Origin) -> str:
    """Where numbers come from, how many, how wide: a sentence."""
    shape = " × ".join(numbers.integer(axis) for axis in one.shape)
    size = f", {shape}" if len(one.shape) > 1 else ""
    count = numbers.plural(one.count, "число", "числа", "чисел")
    cut = f" (первые из {numbers.integer(one.whole)})" if one.whole > one.count else ""
    return (
        f"{title(one)}{size}: {count}{cut}, σ = {numbers.significant(one.sigma, 3)}, "
        f"самое большое — {numbers.significant(one.absmax, 3)}, это {numbers.decimal(one.peak, 1)} σ."
    )


def title(one: Origin) -> str:
    """What the numbers are called at the head of a sentence; a tensor's name as code."""
    if one.title.isascii():
        return f"`{one.title}`"
    return one.title[:1].upper() + one.title[1:]


def origins(one: Origin) -> tuple[str, ...]:
    """The notes that every picture of these numbers carries."""
    return (origin(one), SYNTHETIC) if one.synthetic else (origin(one),)


def block(size: int) -> str:
    """«блок 64» or «один масштаб на тензор»."""
    return f"блок {numbers.integer(size)}" if size else "один масштаб на весь тензор"


def who(scheme: str, size: int) -> str:
    """Who computed it, by name."""
    one = SCHEMES[scheme]
    if one.library and one.bits == 8:
        return "Считает bitsandbytes: int8_vectorwise_quant, каждый блок — своя строка."
    if one.library and size in BNB_BLOCKS:
        return "Считает bitsandbytes: quantize_4bit и dequantize_4bit."
    if one.library:
        return "Такого блока у bitsandbytes нет: её таблицу уровней применяет PyTorch — тем же правилом, код в код."
    return "Считает PyTorch: в bitsandbytes такой схемы нет."


def decibels(errors: Errors) -> str:
    """Signal to noise: ``20,7 дБ``."""
    return f"{numbers.decimal(errors.snr, 1)}{numbers.NBSP}дБ"


def error(relative: float) -> str:
    """A relative error as percent with three digits that say something: ``9,20 %``, ``0,731 %``, ``258 %``."""
    digits = 3 if relative < 0.01 else 2 if relative < 0.1 else 1 if relative < 1 else 0
    return numbers.percent(relative, digits)
