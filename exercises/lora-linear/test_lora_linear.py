"""Checks of LoRALinear. Every expected value is computed here, from weights and inputs drawn here.

d, k, r differ from each other everywhere, so that a swapped shape cannot pass by chance. What one check is about is
left open in the others: they measure the layer's own scale and accept A and B stored transposed, so that one mistake
costs its points once.
"""

import torch

from graders.host.checking import Mistake, SubmissionError, check, close, equal_shape, number

D, K, R = 7, 5, 3  # outputs, inputs, rank
ALPHA = 12.0
RATE = 0.01
ROUNDING = {"rtol": 1e-3, "atol": 1e-3}


def layer_on(solution, given, weight, bias=None, *, rank=R, alpha=ALPHA):
    """The base built inside from ``weight`` (d, k), and the learner's layer on it: two handles."""
    base = given.linear(weight, bias)
    return base, solution.LoRALinear(base, rank, alpha)


def filled(solution, given, draw, bias=None):
    """W (d, k), A (r, k), B (d, r) drawn here, the base and the layer that holds them."""
    weight, a, b = draw.tensor(D, K), draw.tensor(R, K), draw.tensor(D, R)
    base, layer = layer_on(solution, given, weight, bias)
    given.fill(layer, a, b)
    return weight, a, b, base, layer


def answer(layer, x, outputs=D):
    """The layer's answer (…, d), once it is known to be finite numbers of that shape; their dtype has its own check."""
    got = layer(x)
    equal_shape(got, (*x.shape[:-1], outputs), what="ответ слоя")
    if not bool(got.isfinite().all()):
        raise Mistake("", "В ответе слоя NaN или бесконечность: не все числа в A и B заполнены", expected="числа")
    return got.to(x.dtype)


def with_gradient(call, *arguments):
    """What a call that trains gives; a layer without a graph is told from other errors."""
    try:
        return call(*arguments)
    except SubmissionError as error:
        if "does not require grad" not in error.message:
            raise
        sentence = "Ответ слоя не связан с A и B: градиенту не по чему пройти"
        raise Mistake("ADAPTER_NOT_TRAINED", sentence, expected="A и B — nn.Parameter", got=error.message) from error


def matrices(layer):
    """A and B as the layer holds them, by name."""
    found = layer.parameters()
    for name in ("A", "B"):
        if name not in found:
            raise Mistake("", f"Среди параметров слоя нет {name}", expected=f"self.{name} = nn.Parameter(…)")
    return {name: found[name][0] for name in ("A", "B")}


def weight_of(base):
    """The weight (d, k) of the base as it is now."""
    weight = base.state().get("weight")
    equal_shape(weight, (D, K), what="вес базы")
    return weight


def own_scale(layer, given, a, b, x):
    """The factor with which the layer adds BAx, seen when B is doubled; whether it is α/r is one check's question."""
    single = answer(layer, x)
    given.fill(layer, a, 2 * b)
    change = answer(layer, x) - single  # (n, d)
    given.fill(layer, a, b)
    update = x @ a.T @ b.T  # (n, d)
    return float((change * update).sum() / update.square().sum())


def same(left, right):
    """Equal up to rounding."""
    return left.shape == right.shape and torch.allclose(left, right, **ROUNDING)


def comma(value):
    """A number of the feedback as a Russian reader writes it."""
    return f"{value:.4g}".replace(".", ",")


@check(
    concept="lora-shapes",
    points=1,
    hint="Пройдите глазами путь x: k чисел → A → r чисел → B → d чисел.",
    misconception="AB_SHAPES_SWAPPED",
)
def test_shapes(solution, given, draw):
    """A имеет форму r × k, B — форму d × r"""
    for d, k, r in ((7, 5, 3), (4, 9, 2), (6, 8, 1)):
        _, layer = layer_on(solution, given, draw.tensor(d, k), rank=r)
        stored = matrices(layer)
        for name, wanted in (("A", (r, k)), ("B", (d, r))):
            shape = tuple(stored[name].shape)
            if shape != wanted:
                raise Mistake(
                    "AB_SHAPES_SWAPPED",
                    f"Форма {name} не та: A сжимает вход (r × k), B разворачивает ответ (d × r)",
                    expected=f"{wanted[0]} × {wanted[1]} при d = {d}, k = {k}, r = {r}",
                    got=" × ".join(map(str, shape)),
                )


@check(
    concept="lora-init",
    points=2,
    hint="Какой должна быть B, чтобы произведение BA было нулём при любой A?",
    misconception="B_RANDOM_INIT",
)
def test_start_equals_base(solution, given, draw):
    """В начале слой отвечает точно как база"""
    weight, x = draw.tensor(D, K), draw.tensor(4, K)
    _, layer = layer_on(solution, given, weight)
    got, wanted = answer(layer, x), x @ weight.T
    if not same(got, wanted):
        raise Mistake(
            "B_RANDOM_INIT",
            "До обучения слой уже отвечает не как база: B должна начинаться с нулей",
            expected="разница с базой 0",
            got=f"разница до {comma(float((got - wanted).abs().max()))}",
        )


@check(
    concept="lora-init",
    points=1,
    hint="Нулевой должна быть только одна из двух матриц. Для другой подойдёт nn.init.kaiming_uniform_.",
    misconception="A_ZERO_INIT",
)
def test_a_is_random(solution, given, draw):
    """A в начале случайная, строки у неё разные"""
    _, layer = layer_on(solution, given, draw.tensor(D, K))
    start = matrices(layer)["A"]  # (r, k)
    if not bool(start.any()):
        raise Mistake(
            "A_ZERO_INIT",
            "A заполнена нулями: вместе с нулевой B она никогда не начнёт учиться",
            expected="случайные числа",
            got="нули",
        )
    if not bool(start.isfinite().all()):
        raise Mistake("", "A не заполнена: после torch.empty в ней случайный мусор", expected="числа", got="NaN или ∞")
    rank = int(torch.linalg.matrix_rank(start))
    if rank < R:
        raise Mistake(
            "A_SAME_ROWS",
            "Строки A повторяют друг друга: они получат одинаковые градиенты, и ранг r пропадёт зря",
            expected=f"ранг A равен {R}",
            got=f"ранг {rank}",
        )


@check(
    concept="lora-init",
    points=1,
    hint="Градиент A проходит через B, градиент B — через Ax. Что из этого равно нулю на первом шаге?",
    misconception="B_RANDOM_INIT",
)
def test_first_step(solution, given, draw):
    """На первом шаге градиент A — ровно ноль, а градиент B — нет"""
    _, layer = layer_on(solution, given, draw.tensor(D, K))
    x = draw.tensor(4, K)
    answer(layer, x)
    gradients = with_gradient(layer.backward, x, draw.tensor(4, D))
    moved = {name: gradients.get(name) is not None and bool(gradients[name].any()) for name in ("A", "B")}
    if moved["A"]:
        raise Mistake(
            "B_RANDOM_INIT",
            "На первом шаге A уже получает градиент: значит, B начинается не с нулей",
            expected="градиент A — ровно 0",
            got="не 0",
        )
    if not moved["B"]:
        raise Mistake(
            "A_ZERO_INIT",
            "На первом шаге B не получает градиента: адаптер не сдвинется с места",
            expected="градиент B отличен от 0",
            got="0 или нет градиента",
        )


@check(
    concept="lora-scale",
    points=2,
    hint="Множитель считается один раз, в __init__, из alpha и rank.",
    misconception="ALPHA_IGNORED",
)
def test_scale(solution, given, draw):
    """Поправка BAx входит в ответ с множителем α/r"""
    for rank, alpha in ((3, 24.0), (2, 5.0), (6, 1.5)):
        weight, a, b, x = draw.tensor(D, K), draw.tensor(rank, K), draw.tensor(D, rank), draw.tensor(4, K)
        base, layer = layer_on(solution, given, weight, rank=rank, alpha=alpha)
        given.fill(layer, a, b)
        scale = own_scale(layer, given, a, b, x)
        expect_untouched(base, weight)
        recognise_scale(scale, rank, alpha)
        close(answer(layer, x), x @ weight.T + alpha / rank * (x @ a.T @ b.T), what="ответ слоя", **ROUNDING)


def recognise_scale(scale, rank, alpha):
    """Raise for a factor that is not α/r; those of known mistakes have a sentence of their own."""
    known = (
        (1.0, "ALPHA_IGNORED", "Поправка входит в ответ с множителем 1: α/r забыли"),
        (alpha, "SCALE_NOT_DIVIDED", "Поправка умножена на α, но не поделена на ранг"),
        (rank / alpha, "SCALE_INVERTED", "Дробь перевёрнута: нужно α/r, а не r/α"),
        (alpha / rank**0.5, "SCALE_OF_RSLORA", "α поделена на корень из ранга: это rsLoRA, а здесь обычная LoRA"),
    )
    for value, misconception, sentence in known:
        if abs(scale - value) < 1e-3 * value:
            wanted = f"{comma(alpha / rank)} при α = {comma(alpha)} и r = {rank}"
            raise Mistake(misconception, sentence, expected=wanted, got=comma(scale))
    number(float(f"{scale:.4g}"), alpha / rank, what="множитель поправки", rtol=1e-3)


@check(
    concept="frozen-base",
    points=2,
    hint="requires_grad_(False) замораживает весь слой сразу — и вес, и сдвиг.",
    misconception="GRAD_FOR_FROZEN",
)
def test_only_adapter_trains(solution, given, draw):
    """Шаг обучения меняет A и B — и больше ничего"""
    bias = draw.tensor(D)
    weight, a, b, base, layer = filled(solution, given, draw, bias)
    x, target = draw.tensor(8, K), draw.tensor(8, D)
    scale, before, start = own_scale(layer, given, a, b, x), answer(layer, x), matrices(layer)
    expect_untouched(base, weight)
    with_gradient(given.step, layer, x, target, RATE)
    if not (torch.equal(weight_of(base), weight) and torch.equal(base.get("bias"), bias)):
        raise Mistake(
            "GRAD_FOR_FROZEN",
            "Шаг обучения изменил базу: её вес и сдвиг нужно заморозить",
            expected="W и сдвиг прежние, учатся только A и B",
            got="изменились",
        )
    trained = matrices(layer)
    for name in ("A", "B"):
        if torch.equal(trained[name], start[name]):
            raise Mistake(
                "ADAPTER_NOT_TRAINED",
                f"Шаг обучения не сдвинул {name}: градиент до неё не доходит",
                expected="A и B — nn.Parameter и участвуют в forward",
                got=f"{name} прежняя",
            )
    expected = after_one_step(before, scale, a, b, x=x, target=target)
    close(answer(layer, x), expected, what="ответ после шага обучения", **ROUNDING)


def after_one_step(before, scale, a, b, *, x, target):
    """The layer's answer (n, d) after a step of SGD on A and B alone; all but the update stays as in ``before``."""
    fixed = before - scale * (x @ a.T @ b.T)  # Wx and bias, (n, d)
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    torch.nn.functional.mse_loss(fixed + scale * (x @ a.T @ b.T), target).backward()
    with torch.no_grad():
        return fixed + scale * (x @ (a - RATE * a.grad).T @ (b - RATE * b.grad).T)


@check(
    concept="frozen-base",
    points=1,
    hint="Считайте добавку отдельно и прибавляйте её к ответу базы, а не к весу.",
    misconception="FORWARD_CHANGES_W",
)
def test_forward_leaves_base(solution, given, draw):
    """forward не меняет вес базы"""
    weight, _, _, base, layer = filled(solution, given, draw)
    x = draw.tensor(4, K)
    first, second = answer(layer, x), answer(layer, x)
    if same(first, x @ weight.T):
        raise Mistake("", "Поправка не участвует в ответе", expected="Wx + (α/r)·BAx", got="Wx")
    expect_untouched(base, weight)
    close(second, first, what="второй ответ на тот же вход", **ROUNDING)


def expect_untouched(base, weight):
    """The weight (d, k) of the base is still bit for bit what it was before the layer answered."""
    if not torch.equal(weight_of(base), weight):
        raise Mistake(
            "FORWARD_CHANGES_W",
            "forward изменил вес базы: он должен только считать ответ",
            expected="W прежний",
            got="W изменился",
        )


@check(
    concept="lora-forward",
    points=1,
    hint="Ответ базы целиком — это self.base(x): в нём уже есть и вес, и сдвиг.",
    misconception="BIAS_LOST",
)
def test_bias(solution, given, draw):
    """Сдвиг базы остаётся в ответе"""
    bias = draw.tensor(D)
    weight, a, b, _, layer = filled(solution, given, draw, bias)
    x = draw.tensor(4, K)
    without_update = answer(layer, x) - own_scale(layer, given, a, b, x) * (x @ a.T @ b.T)  # (n, d)
    if same(without_update, x @ weight.T):
        raise Mistake(
            "BIAS_LOST",
            "В ответе нет сдвига базы: слой посчитал Wx без bias",
            expected="Wx + bias + поправка",
            got="Wx + поправка",
        )
    close(without_update, x @ weight.T + bias, what="ответ без поправки", **ROUNDING)


@check(
    concept="lora-forward",
    points=1,
    hint="x @ A.T работает с последней осью, сколько бы осей ни стояло перед ней. .T у самого x — нет.",
    misconception="BATCH_DIMS_LOST",
)
def test_leading_dimensions(solution, given, draw):
    """Слой принимает и (пакет, длина, k), и один вектор (k)"""
    *_, layer = filled(solution, given, draw)
    rows = draw.tensor(8, K)
    wanted = answer(layer, rows)  # (8, d)
    for axes in ((2, 4), (8, 1), ()):
        x = rows[:1].reshape(K) if not axes else rows.reshape(*axes, K)
        expected = wanted[:1].reshape(D) if not axes else wanted.reshape(*axes, D)
        shape = " × ".join(map(str, x.shape))
        try:
            got = layer(x)
        except SubmissionError as error:
            raise leading_mistake(f"{error.type} на входе {shape}") from error
        if type(got) is not torch.Tensor or not same(got.to(x.dtype), expected):
            raise leading_mistake(f"другой ответ на входе {shape}")
        if got.dtype != x.dtype:
            raise Mistake("", "Тип чисел в ответе слоя не тот, что на входе", expected=str(x.dtype), got=str(got.dtype))


def leading_mistake(got):
    """The one mistake of the check above."""
    return Mistake(
        "BATCH_DIMS_LOST",
        "Слой работает только с таблицей: со входом (пакет, длина, k) он не справился",
        expected="те же числа, что по строкам таблицы",
        got=got,
    )


@check(
    concept="lora-merge",
    points=2,
    hint="В вес базы входит ровно то, что прибавлял forward. Одинаковы ли у вас множители?",
    misconception="MERGE_WITHOUT_SCALE",
)
def test_merge(solution, given, draw):
    """merge переносит поправку в вес базы, а ответ слоя не меняется"""
    weight, a, b, base, layer = filled(solution, given, draw)
    x = draw.tensor(4, K)
    scale, before = own_scale(layer, given, a, b, x), answer(layer, x)
    layer.merge()
    folded, after = weight_of(base) - weight, answer(layer, x)  # (d, k), (n, d)
    merged_weight(base, weight)
    recognise_merge(folded, after - before, scale, b @ a, x)
    close(folded, scale * (b @ a), what="прибавка к весу базы", **ROUNDING)
    close(after, before, what="ответ после merge", **ROUNDING)


def merged_weight(base, weight):
    """The weight (d, k) of the base after merge; one that stayed as it was cannot be right."""
    found = weight_of(base)
    if torch.equal(found, weight):
        raise Mistake("", "merge() не изменил вес слоя, который дали", expected="W + (α/r)·BA", got="W")
    return found


def recognise_merge(folded, change, scale, product, x):
    """Raise for a known mistake: what merge added to W (d, k), how it changed the answer (n, d)."""
    if same(folded, product) and not same(folded, scale * product):
        raise Mistake(
            "MERGE_WITHOUT_SCALE",
            "merge прибавил к весу BA без множителя α/r",
            expected="W + (α/r)·BA",
            got="W + BA",
        )
    if same(change, scale * (x @ product.T)):
        raise Mistake(
            "MERGED_ADDS_TWICE",
            "После merge поправка входит в ответ дважды: через вес и ещё раз в forward",
            expected="тот же ответ, что до merge",
            got="Wx + 2·(α/r)·BAx",
        )


@check(
    concept="lora-merge",
    points=1,
    hint="unmerge вычитает то же, что прибавил merge.",
    misconception="UNMERGE_FORGETS",
)
def test_unmerge(solution, given, draw):
    """unmerge возвращает вес базы и прежний ответ"""
    weight, _, _, base, layer = filled(solution, given, draw)
    x = draw.tensor(4, K)
    before = answer(layer, x)
    layer.merge()
    merged_weight(base, weight)
    layer.unmerge()
    restored = weight_of(base)
    if not same(restored, weight):
        raise Mistake(
            "UNMERGE_FORGETS",
            "После merge и unmerge вес базы не тот, что был",
            expected="W",
            got=f"отличие до {comma(float((restored - weight).abs().max()))}",
        )
    close(answer(layer, x), before, what="ответ после merge и unmerge", **ROUNDING)


@check(
    concept="lora-merge",
    points=1,
    hint="Слою нужно помнить, слит ли он: одного флага достаточно.",
    misconception="MERGE_REPEATED",
)
def test_merge_repeated(solution, given, draw):
    """Второй merge подряд ничего не меняет, лишний unmerge — тоже"""
    weight, _, _, base, layer = filled(solution, given, draw)
    layer.unmerge()
    expect_weight(base, weight, "unmerge() без merge()")
    layer.merge()
    once = merged_weight(base, weight)
    layer.merge()
    expect_weight(base, once, "второй merge()")


def expect_weight(base, wanted, call):
    """The weight of the base (d, k) stays as ``wanted`` after a call that has nothing to do."""
    if not same(weight_of(base), wanted):
        raise Mistake(
            "MERGE_REPEATED",
            "Повторный вызов снова меняет вес: слой не помнит, слит ли он",
            expected=f"{call} ничего не делает",
            got="вес базы изменился",
        )
