"""Checks of lora_params. LoRA sees of a layer only its inputs and outputs, and that is how the checks are kept apart.

``one_layer`` asks for a plain layer of a drawn size and compares with r · (in + out). Every other check also accepts
the learner's own count for a plain layer of the same size: what is wrong with the formula costs its points once.
The numbers of Mistral-7B, Llama-3.1-8B and Phi-3-mini are those that peft counts on models built on the meta device.
"""

from graders.host.checking import Mistake, SubmissionError, check, number, show

RANK = 8
PLAIN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
FUSED = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]

MISTRAL = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "linear_layers": PLAIN,
}
LLAMA = {**MISTRAL, "head_dim": 128}
PHI = {
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "linear_layers": FUSED,
}
GEMMA = {
    "hidden_size": 3584,
    "intermediate_size": 14336,
    "num_hidden_layers": 42,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
    "linear_layers": PLAIN,
}


def block(hidden, inner, heads=4, **more):
    """A model of one block of plain layers, unless ``more`` says otherwise."""
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": 1,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "linear_layers": PLAIN,
        **more,
    }


def count(solution, config, rank, targets):
    """The learner's answer, once it is known to be a number; that it is a whole one is asked in one check."""
    got = solution.lora_params(config, rank, targets)
    if got is None:
        raise Mistake("", "Функция ничего не вернула: забыт return?", expected="int", got="None")
    if type(got) not in (int, float):
        raise Mistake("", "Ответ не число", expected="int", got=show(got))
    return got


def plain(solution, inputs, outputs):
    """The learner's own count for a plain layer inputs → outputs: up_proj has just these two sizes."""
    own, larger = (count(solution, block(n * inputs, n * outputs), RANK, ["up_proj"]) for n in (1, 2))
    if own <= 0 or own == larger:
        sentence = "Ответ не зависит от размеров слоя"
        raise Mistake("", sentence, expected="больше слой — больше параметров", got=show(own))
    return own


def compare(solution, config, target, size, wrong, *, also=()):
    """The count for one layer against r · (in + out), or against the learner's own count for a plain layer.

    ``size`` is (in, out), ``also`` are more sizes to accept; ``wrong`` maps sizes that only a known mistake gives to
    its id and sentence.
    """
    got = count(solution, config, RANK, [target])
    if any(got == plain(solution, *accepted) for accepted in (size, *also)):
        return
    known = {RANK * sum(pair): found for pair, found in wrong.items() if sum(pair) != sum(size)}
    number(got, RANK * sum(size), what=f"параметры {target}", wrong=known)


@check(
    concept="lora-count",
    points=2,
    hint="A имеет форму r × вход, B — выход × r. Сложите число клеток.",
    misconception="ONE_MATRIX_COUNTED",
)
def test_one_layer(solution, draw):
    """Один слой: r · (вход + выход)"""
    square = ("", "Слой посчитан квадратным: у A — вход, у B — выход, и они разные")
    half = ("ONE_MATRIX_COUNTED", "Посчитана одна матрица из двух: нужны и A, и B")
    for target in ("up_proj", "down_proj"):
        hidden, inner, rank = 4 * draw.integer(8, 90), draw.integer(400, 900), draw.integer(2, 7)
        got = count(solution, block(hidden, inner), rank, [target])
        wrong = {
            rank * hidden: half,
            rank * inner: half,
            rank * 2 * hidden: square,
            rank * 2 * inner: square,
            hidden * inner: ("FULL_MATRIX_COUNTED", "Посчитан сам вес слоя, а он заморожен: учатся только A и B"),
        }
        number(got, rank * (hidden + inner), wrong=wrong)


@check(
    concept="lora-blocks",
    points=1,
    hint="В каждом блоке свои A и B. Сколько в модели блоков?",
    misconception="LAYERS_FORGOTTEN",
)
def test_every_block(solution, draw):
    """Вся модель: слои каждого блока"""
    drawn = block(64, draw.integer(100, 300), num_hidden_layers=draw.integer(5, 40))
    models = (
        (drawn, 4, ["up_proj"], 4 * drawn["num_hidden_layers"] * (64 + drawn["intermediate_size"])),
        (MISTRAL, 8, ["q_proj", "v_proj"], 3_407_872),
        (LLAMA, 16, PLAIN, 41_943_040),
        (PHI, 16, FUSED, 25_165_824),
    )
    for config, rank, targets, wanted in models:
        got = count(solution, config, rank, targets)
        one = count(solution, {**config, "num_hidden_layers": 1}, rank, targets)
        if got != config["num_hidden_layers"] * one:
            known = {one: ("LAYERS_FORGOTTEN", "Посчитан один блок, а адаптер есть в каждом")}
            number(got, wanted, wrong=known)


@check(
    concept="grouped-query",
    points=2,
    hint="У k_proj и v_proj столько выходов, сколько чисел в ключах всех num_key_value_heads голов.",
    misconception="GQA_FORGOTTEN",
)
def test_grouped_query(solution, draw):
    """Групповое внимание: k_proj и v_proj уже, q_proj и o_proj прежние"""
    head = draw.integer(5, 30)
    drawn = block(12 * head, 333, heads=12, num_key_value_heads=3)
    no_groups = {key: value for key, value in drawn.items() if key != "num_key_value_heads"}
    mistral = {**MISTRAL, "num_hidden_layers": 1}
    if type(count(solution, mistral, RANK, ["k_proj"])) is float:
        raise Mistake("", "Ответ дробного типа: головы делят нацело, через //", expected="int", got="float")
    for config, keys in ((drawn, 3 * head), (mistral, 1024), (no_groups, 12 * head)):
        hidden = config["hidden_size"]
        forgotten = {(hidden, hidden): ("GQA_FORGOTTEN", "k_proj и v_proj посчитаны как полные: общие головы забыты")}
        for target in ("k_proj", "v_proj"):
            compare(solution, config, target, (hidden, keys), forgotten)
        for target in ("q_proj", "o_proj"):
            compare(solution, config, target, (hidden, hidden), {})


@check(
    concept="head-dim",
    points=1,
    hint="Возьмите head_dim из конфига, а делите hidden_size на число голов, только если его там нет.",
    misconception="HEAD_DIM_ASSUMED",
)
def test_head_dim(solution, draw):
    """Размер головы из конфига главнее, чем hidden_size / num_attention_heads"""
    head = draw.integer(40, 90)
    drawn = block(120, 333, head_dim=head)
    gemma = {**GEMMA, "num_hidden_layers": 1, "num_key_value_heads": GEMMA["num_attention_heads"]}
    found = ("HEAD_DIM_ASSUMED", "Размер головы посчитан делением, хотя head_dim задан в конфиге")
    for config, width in ((drawn, 4 * head), (gemma, 16 * 256)):  # no groups here: they have a check of their own
        hidden = config["hidden_size"]
        for target, size in (("q_proj", (hidden, width)), ("k_proj", (hidden, width)), ("o_proj", (width, hidden))):
            compare(solution, config, target, size, {(hidden, hidden): found})


@check(
    concept="fused-layers",
    points=2,
    hint="Для LoRA qkv_proj — один широкий слой: одна A на весь вход и одна B на все выходы.",
    misconception="FUSED_QKV",
)
def test_fused(solution, draw):
    """Склеенные слои: одна пара A и B на весь qkv_proj и на весь gate_up_proj"""
    head = draw.integer(5, 30)
    drawn = block(12 * head, draw.integer(700, 900), heads=12, linear_layers=FUSED)
    grouped = {**drawn, "num_key_value_heads": 3}
    phi = {**PHI, "num_hidden_layers": 1}
    sentence = "Склеенный слой посчитан по частям: у него одна пара A и B, а не по паре на часть"
    for config in (drawn, phi, grouped):
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        keys = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
        own = own_width(solution, config)
        three = {(3 * hidden, hidden + 2 * keys): ("FUSED_QKV", sentence)}
        two = {(2 * hidden, 2 * inner): ("FUSED_QKV", sentence)}
        compare(solution, config, "qkv_proj", (hidden, hidden + 2 * keys), three, also=[(hidden, hidden + 2 * own)])
        compare(solution, config, "gate_up_proj", (hidden, 2 * inner), two)


def own_width(solution, config):
    """The width that the learner's own count gives to all keys: forgotten groups are another check's business."""
    got = count(solution, {**config, "linear_layers": PLAIN}, RANK, ["k_proj"])
    return max(got // RANK - config["hidden_size"], 1)


@check(
    concept="lora-targets",
    points=1,
    hint='Сравните targets с config["linear_layers"] до того, как считать.',
    misconception="TARGETS_SILENT",
)
def test_missing_target(solution):
    """Имени нет в модели — ValueError, и имя названо"""
    cases = (
        (PHI, ["q_proj", "v_proj"], "q_proj"),
        (PHI, ["o_proj", "q_proj"], "q_proj"),
        (MISTRAL, ["q_proj", "gate_up_proj"], "gate_up_proj"),
        (MISTRAL, ["query"], "query"),
    )
    for config, targets, name in cases:
        call = f"targets={targets}"
        try:
            got = solution.lora_params(config, 8, targets)
        except SubmissionError as error:
            if error.type == "ValueError" and name in error.message:
                continue
            sentence = "Об отсутствующем слое сообщает не ValueError с именем слоя"
            wanted, got = f"ValueError, в тексте «{name}»", f"{error.type}: {error.message}"
            raise Mistake("", sentence, expected=wanted, got=f"{got}; {call}") from error
        raise Mistake(
            "TARGETS_SILENT",
            "Имя слоя, которого в модели нет, пропущено молча",
            expected=f"ValueError, в тексте «{name}»",
            got=f"ответ {show(got)} при {call}",
        )


@check(
    concept="lora-targets",
    points=1,
    hint="Дважды названный слой обучают один раз: множество имён поможет.",
    misconception="TARGET_REPEATED",
)
def test_repeated_target(solution):
    """Повтор имени в targets ничего не добавляет"""
    once = count(solution, MISTRAL, 8, ["q_proj", "v_proj"])
    twice = count(solution, MISTRAL, 8, ["q_proj", "v_proj", "q_proj"])
    parts = sum(count(solution, MISTRAL, 8, [name]) for name in ("q_proj", "v_proj"))
    if parts != once or not once:
        sentence = "Ответ для двух слоёв — не сумма ответов для каждого"
        raise Mistake("", sentence, expected=show(parts), got=show(once))
    if twice != once:
        raise Mistake(
            "TARGET_REPEATED",
            "Слой, названный в targets дважды, посчитан дважды",
            expected=f"столько же, сколько без повтора: {show(once)}",
            got=show(twice),
        )
