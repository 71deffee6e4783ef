"""«Что говорят — что выходит»: common claims about memory beside what the calculators give.

Every number on our side is computed here, at the call. Leaves out where a claim was met: it is repeated everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from common.numbers import decimal, integer, plural, size
from demos.lora import parameters
from demos.lora.models import ARCHITECTURES
from demos.memory import training, weights
from demos.memory.fits import GB
from demos.memory.training_state import Params as State
from demos.memory.training_state import training_state
from demos.params import Checked, parameter

Verdict = Literal["верно", "неточно", "неверно"]
MB = 10**6
EIGHT = 2 * (1 + 4 / 256)
"""Bytes that both moments of a number take in 8 bits, scales included."""
TOPICS = {"all": "всё", "full": "полное дообучение", "base": "веса базы", "adapter": "адаптеры и QLoRA"}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which claims."""

    topic: Literal["all", "full", "base", "adapter"] = parameter("all", "О чём", words=TOPICS)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said, what comes out, and why. Sizes in bytes."""

    topic: str
    said: str
    claimed: float
    computed: float
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """The claims in order."""

    claims: tuple[Claim, ...]


def claims(params: Params) -> Result:
    """Claims of a topic, recomputed."""
    found = (*_rules(), *_full(), *_base(), *_layers(), *_adapter(), *_large())
    return Result(tuple(claim for claim in found if params.topic in ("all", claim.topic)))


def _rules() -> tuple[Claim, ...]:
    each = {name: training_state(State(name)).total for name in ("float32", "bfloat16")}
    moments = 8 * ARCHITECTURES["mistral-7b"].base
    why = (
        "FP32: 4 + 4 + 8. Смешанная точность: 2 + 2 + 4 + 8. Активации сверх этого.",
        "2 + 2 + 4: моменты тоже в bfloat16. Мелкие изменения весов при этом теряются в округлении.",
        "Градиент один на параметр. Вдвое больше весов — моменты Adam.",
        f"Два числа FP32 на параметр. В bfloat16 — {size(moments / 2)}, в 8 битах — {size(EIGHT / 8 * moments)}.",
    )
    return (
        Claim("full", "Обучаемый параметр с AdamW занимает 16 байт", 16, each["float32"], "верно", why[0]),
        Claim("full", "Чистый bfloat16 с AdamW — 8 байт на параметр", 8, each["bfloat16"], "верно", why[1]),
        Claim("full", "Градиенты вдвое больше весов: 20 байт на параметр", 20, each["float32"], "неверно", why[2]),
        Claim("full", "Состояние Adam для 7B — 21 ГБ", 21 * GB, moments, "неверно", why[3]),
    )


def _full() -> tuple[Claim, ...]:
    mistral = ARCHITECTURES["mistral-7b"].base
    whole, narrow = 16 * mistral, 8 * mistral
    small = training.Params(
        "llama-3.1-8b", "full", precision="bfloat16", optimizer="adamw-8bit", batch=1, checkpointing=True
    )
    eight = training.training(small).total
    why = (
        f"16 · 7 млрд = 112 ГБ; у Mistral-7B {integer(mistral)} параметров. И это без активаций.",
        f"56 ГБ — это 8 байт на параметр: чистый bfloat16 ({size(narrow)} у Mistral-7B).",
        "С обычным AdamW — да. bfloat16 и 8-битный AdamW, один пример на 512 токенов и чекпоинтинг — помещается.",
    )
    return (
        Claim("full", "Полное дообучение 7B — 112 ГБ", 112 * GB, whole, "верно", why[0]),
        Claim("full", "Полное дообучение 7B — 56 ГБ", 56 * GB, whole, "неточно", why[1]),
        Claim("full", "Модель 8B целиком на одной карте 80 ГБ не обучить", 80 * GB, eight, "неточно", why[2]),
    )


def _base() -> tuple[Claim, ...]:
    mistral, small = _stored("mistral-7b", "nf4-double"), _stored("llama-3.1-8b", "nf4-double")
    wide, short = _stored("mistral-7b", "float16"), _stored("llama-3.1-8b", "float16")
    phi, footprint = _stored("phi-3-mini", "nf4-double"), _stored("phi-3-mini", "nf4-footprint")
    rest = 2 * weights.split(ARCHITECTURES["llama-3.1-8b"])[1]
    times = f"Mistral-7B меньше в {decimal(wide / mistral, 1)} раза, Llama-3.1-8B — в {decimal(short / small, 1)}"
    llama = size(_stored("llama-2-7b", "nf4-double"), 2)
    single = size(_stored("phi-3-mini", "nf4"), 2)
    why = (
        f"4 байта на вес. В 16 битах — {size(wide)}, и для ответов хватает 24 ГБ.",
        f"{times}: эмбеддинги и выход остаются в 16 битах.",
        f"3,5 ГБ — одни коды. Со шкалами и эмбеддингами у Llama-2-7B {llama}, у Mistral-7B {size(mistral, 2)}.",
        f"Эмбеддинги и выход большого словаря в 16 битах — {size(rest)}, линейные слои — {size(small - rest)}.",
        f"Это get_memory_footprint(): {size(footprint, 2)}, он не видит шкал. Без двойного квантования {single}.",
    )
    return (
        Claim("base", "7B в FP32 — 28 ГБ", 28 * GB, _stored("mistral-7b", "float32"), "верно", why[0]),
        Claim("base", "4 бита — вчетверо меньше 16-битной модели", wide / 4, mistral, "неточно", why[1]),
        Claim("base", "7B в NF4 — 3,5 ГБ", 3.5 * GB, mistral, "неточно", why[2]),
        Claim("base", "Llama-3.1-8B в NF4 — 4 ГБ", 4 * GB, small, "неверно", why[3]),
        Claim("base", "Phi-3-mini в NF4 — 2,21 ГБ", 2.21 * GB, phi, "неточно", why[4]),
    )


def _layers() -> tuple[Claim, ...]:
    layer, rest = 4096 * 4096, weights.split(ARCHITECTURES["llama-3.1-8b"])[1]
    quantized, single = layer * (0.5 + (1 + 4 / 256) / 64), layer * (0.5 + 4 / 64)
    why = (
        "4096 · 4096 · 2 байта.",
        f"Полбайта на вес и шкалы; без двойного квантования {size(single, 2)}.",
        f"Всё, что не квантовано, становится FP32: {integer(rest)} чисел, по 2 лишних байта на каждое.",
    )
    said = "prepare_model_for_kbit_training добавит Llama-3.1-8B лишь 0,5 МБ: FP32 у нормализаций"
    norms = 2 * sum(
        norm.size * ARCHITECTURES["llama-3.1-8b"].times(norm.path) for norm in ARCHITECTURES["llama-3.1-8b"].norms
    )
    return (
        Claim("base", "Слой 4096 × 4096 в FP16 — 132 МБ", 132 * MB, 2 * layer, "неверно", why[0]),
        Claim("base", "Тот же слой в NF4 — 16,5 МБ", 16.5 * MB, quantized, "неверно", why[1]),
        Claim("base", said, norms, 2 * rest, "неверно", why[2]),
    )


def _adapter() -> tuple[Claim, ...]:
    tuned = parameters.count(parameters.Params(targets=("q_proj", "v_proj"), rank=8)).trainable
    whole, ten = 16 * ARCHITECTURES["mistral-7b"].base, 10 * MB
    lora, qlora = (_stored("mistral-7b", storage) + 16 * tuned for storage in ("float16", "nf4-double"))
    times = f"в {decimal(whole / lora, 1)} раза; у QLoRA {size(qlora)}: в {decimal(whole / qlora, 0)} раз"
    why = (
        f"{plural(tuned, 'параметр', 'параметра', 'параметров')} по 4 байта; в 16 битах ещё вдвое меньше.",
        f"Замороженная база остаётся в памяти: {size(lora - 16 * tuned)}. Экономятся градиенты и моменты.",
        f"Без активаций {size(whole)} против {size(lora)}: {times}.",
        f"8 байт на параметр в FP32; {size(4 * ten, 0)} в bfloat16, {size(EIGHT * ten)} в 8 битах.",
    )
    return (
        Claim("adapter", "LoRA с r = 8 на q и v — файл около 50 МБ", 50 * MB, 4 * tuned, "неверно", why[0]),
        Claim("adapter", "С LoRA в памяти одни маленькие матрицы", 16 * tuned, lora, "неверно", why[1]),
        Claim("adapter", "LoRA экономит память самое меньшее в 10 раз", whole / 10, lora, "неверно", why[2]),
        Claim("adapter", "Моменты адаптера в 10 млн параметров — 30 МБ", 30 * MB, 8 * ten, "неверно", why[3]),
    )


def _large() -> tuple[Claim, ...]:
    step = training.Params("llama-2-70b", batch=1, length=512, checkpointing=True, precision="bfloat16")
    total = training.training(step).total
    two, three = (size(_stored(name, "nf4-double")) for name in ("llama-2-70b", "llama-3-70b"))
    why = (
        f"Одни веса в NF4: {two} у Llama-2-70B, {three} у Llama-3-70B. На две карты по 24 ГБ их делит FSDP.",
        "Llama-2-70B: один пример на 512 токенов, чекпоинтинг, r = 16 во всех линейных слоях. Запас невелик.",
    )
    return (
        Claim("adapter", "70B с QLoRA помещается на 24 ГБ", 24 * GB, total, "неверно", why[0]),
        Claim("adapter", "70B с QLoRA помещается на одну карту 48 ГБ", 48 * GB, total, "верно", why[1]),
    )


def _stored(model: str, storage: weights.Storage) -> int:
    return weights.weights(weights.Params(model, storage)).bytes
