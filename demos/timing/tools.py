"""Which tool for which bottleneck: first measure, then choose.

Profilers are torch.profiler and torch.cuda.max_memory_allocated; accelerate and DeepSpeed spread work over devices,
torch.compile fuses operators, and none of the three measures anything. Leaves out tools that are not maintained.
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.params import Checked, parameter

BOTTLENECKS = {
    "all": "все",
    "unknown": "не знаю, где время и память",
    "activations": "не хватает памяти: активации",
    "states": "не хватает памяти: моменты и градиенты",
    "weights": "не хватает памяти: веса",
    "operators": "GPU занят мелкими операциями",
    "attention": "длинный контекст: внимание",
    "devices": "одной карты мало",
    "input": "GPU ждёт данных",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Where it hurts."""

    bottleneck: str = parameter("all", "Узкое место", words=BOTTLENECKS)


@dataclass(frozen=True, slots=True)
class Tool:
    """What helps, how to turn it on, and what it costs."""

    bottleneck: str
    name: str
    gives: str
    how: str
    costs: str
    measures: bool = False  # a profiler


@dataclass(frozen=True, slots=True)
class Result:
    """Tools in order."""

    tools: tuple[Tool, ...]


TOOLS = (
    Tool(
        "unknown",
        "torch.profiler",
        "время каждого оператора, лента времени",
        "with torch.profiler.profile() as p:\n    …  # шаг обучения",
        "замедляет шаг, пока включён",
        True,
    ),
    Tool(
        "unknown",
        "torch.cuda.max_memory_allocated",
        "пик памяти тензоров на карте",
        "torch.cuda.reset_peak_memory_stats()\n# шаг обучения\ntorch.cuda.max_memory_allocated()",
        "не видит контекста CUDA и чужих процессов",
        True,
    ),
    Tool(
        "unknown",
        "torch.cuda.memory._record_memory_history",
        "какая строка заняла память",
        "torch.cuda.memory._record_memory_history()\n# шаг обучения\ntorch.cuda.memory._dump_snapshot(…)",
        "файл смотрят на pytorch.org/memory_viz",
        True,
    ),
    Tool(
        "activations",
        "чекпоинтинг активаций",
        "вместо активаций всех слоёв — входы слоёв и один слой",
        "activation_checkpointing=True\n# в SFTConfig включён сам",
        "лишний прямой проход, шаг примерно на треть дольше",
    ),
    Tool(
        "activations",
        "меньше примеров в шаге, накопление градиентов",
        "активаций во столько же раз меньше",
        "per_device_train_batch_size=1,\ngradient_accumulation_steps=16",
        "карта загружена хуже; само накопление памяти не экономит",
    ),
    Tool(
        "activations",
        "логиты по частям",
        "нет логитов всего словаря сразу",
        "# trl считает потери так сам;\n# ещё есть Liger Kernel",
        "ничего заметного",
    ),
    Tool(
        "states",
        "8-битный AdamW",
        "2 байта моментов на параметр вместо 8",
        'optim="adamw_8bit"',
        "мелкие тензоры и эмбеддинги остаются в FP32",
    ),
    Tool(
        "states",
        "paged AdamW",
        "моменты уходят в ОЗУ, когда на карте нет места",
        'optim="paged_adamw_8bit"',
        "тогда шаг ждёт PCIe; только CUDA",
    ),
    Tool(
        "states",
        "LoRA",
        "моменты и градиенты одного адаптера",
        'LoraConfig(\n    r=16, target_modules="all-linear")',
        "ранг ограничивает поправку",
    ),
    Tool(
        "states",
        "DeepSpeed ZeRO, FSDP",
        "моменты, градиенты и веса поделены между картами",
        "accelerate config  # DeepSpeed или FSDP",
        "нужны несколько карт и быстрая связь",
    ),
    Tool(
        "weights",
        "NF4 (QLoRA)",
        "линейные слои вчетверо меньше",
        'BitsAndBytesConfig(\n    load_in_4bit=True,\n    bnb_4bit_quant_type="nf4")',
        "слой разворачивается на лету: шаг медленнее",
    ),
    Tool(
        "weights",
        "выгрузка на CPU",
        "на карте лежит то, что считается сейчас",
        'device_map="auto"\n# или offload в DeepSpeed',
        "каждый шаг ждёт PCIe",
    ),
    Tool(
        "operators",
        "torch.compile",
        "соединяет мелкие операторы, меньше запусков ядер",
        "torch.compile(model)\n# или SFTConfig(torch_compile=True)",
        "первый шаг долгий; новая длина — новая компиляция; нужен компилятор C++",
    ),
    Tool(
        "operators",
        "packing",
        "нет вычислений на паддинге",
        "SFTConfig(packing=True)",
        "внимание не должно видеть соседний пример",
    ),
    Tool(
        "attention",
        "FlashAttention, SDPA",
        "не хранит оценки длина × длина",
        'attn_implementation="sdpa"\n# или "flash_attention_2"',
        "FlashAttention: GPU Ampere и новее, 16 бит",
    ),
    Tool(
        "devices",
        "accelerate",
        "тот же код на нескольких картах",
        "accelerate launch train.py",
        "сам ничего не ускоряет и не измеряет",
    ),
    Tool(
        "devices",
        "DeepSpeed",
        "ZeRO, выгрузка, связь между машинами",
        "accelerate config  # DeepSpeed",
        "настройка и отладка сложнее",
    ),
    Tool(
        "input",
        "dataloader_num_workers, закреплённая память",
        "данные готовятся заранее и копируются, пока карта считает",
        "dataloader_num_workers=4,\ndataloader_pin_memory=True",
        "процессы занимают ОЗУ",
    ),
)
"""Every tool, by what it is for."""


def tools(params: Params) -> Result:
    """Tools for a bottleneck; profilers come first whatever it is."""
    chosen = params.bottleneck
    if chosen == "all":
        return Result(TOOLS)
    measuring = tuple(tool for tool in TOOLS if tool.measures)
    return Result((*measuring, *(t for t in TOOLS if t.bottleneck == chosen and not t.measures)))
