"""Ten checks of a solution that uses peft itself: what graders are compared on (``./course bench grading``)."""

import torch

from graders.host.checking import Mistake, check, close, equal_shape, number

K, H, D, R = 6, 5, 4, 2  # inputs, hidden, outputs, rank
ALPHA = 6.0
PREFIX = "base_model.model.0."
A, B = f"{PREFIX}lora_A.default.weight", f"{PREFIX}lora_B.default.weight"
ROUNDING = {"rtol": 1e-3, "atol": 1e-4}


def wrapped(solution, given, draw, targets=("0",)):
    """The two weights (H, K) and (D, H) drawn here, and the learner's model on them."""
    first, second = draw.tensor(H, K), draw.tensor(D, H)
    return first, second, solution.wrap(given.network(first, second), R, ALPHA, list(targets))


def filled(solution, given, draw):
    """As ``wrapped``, with A (R, K) and B (H, R) drawn here too: W + (α/r)·BA, the second weight, the model."""
    first, second, model = wrapped(solution, given, draw)
    a, b = draw.tensor(R, K), draw.tensor(H, R)
    given.fill(model, a, b)
    return first + ALPHA / R * b @ a, second, model


def answer(first, second, x):
    """What the network says (n, D) with these weights."""
    return torch.relu(x @ first.T) @ second.T


@check(concept="peft-wrap", hint="B начинается с нулей.")
def test_start(solution, given, draw):
    """В начале модель отвечает точно как сеть"""
    first, second, model = wrapped(solution, given, draw)
    x = draw.tensor(8, K)
    close(model(x), answer(first, second, x), **ROUNDING)


@check(concept="peft-wrap", hint="target_modules — имена слоёв.")
def test_shapes(solution, given, draw):
    """У адаптера A формы r × k и B формы h × r"""
    *_, model = wrapped(solution, given, draw)
    state = model.state()
    for name, shape in ((A, (R, K)), (B, (H, R))):
        if name not in state:
            raise Mistake("", "У слоя «0» нет адаптера", expected=name, got=", ".join(state))
        equal_shape(state[name], shape, what=name)


@check(concept="peft-wrap", hint="Множитель — alpha / rank.")
def test_scale(solution, given, draw):
    """Поправка входит с множителем α/r"""
    first, second, model = filled(solution, given, draw)
    x = draw.tensor(8, K)
    close(model(x), answer(first, second, x), **ROUNDING)


@check(concept="peft-wrap", hint="Слои не из targets остаются как есть.")
def test_targets(solution, given, draw):
    """Адаптер стоит на названных слоях и только на них"""
    for targets in (["0"], ["2"], ["0", "2"]):
        *_, model = wrapped(solution, given, draw, targets)
        found = sorted({name.split(".")[2] for name in model.state() if "lora_" in name})
        if found != targets:
            raise Mistake("", "Адаптеры не на тех слоях", expected=", ".join(targets), got=", ".join(found))


@check(concept="peft-train", hint="requires_grad есть только у A и B.")
def test_frozen(solution, given, draw):
    """Учатся только A и B"""
    *_, model = wrapped(solution, given, draw)
    trained = sorted(name for name, parameter in model.parameters().items() if parameter.requires_grad)
    if trained != [A, B]:
        raise Mistake("", "Учится не то", expected=f"{A}, {B}", got=", ".join(trained))


@check(concept="peft-train", hint="r · (вход + выход) на каждый слой.")
def test_count(solution, given, draw):
    """Число обучаемых параметров"""
    for targets, wanted in ((["0"], R * (K + H)), (["0", "2"], R * (K + H) + R * (H + D))):
        *_, model = wrapped(solution, given, draw, targets)
        number(solution.trainable(model), wanted, what="обучаемые параметры")


@check(concept="peft-train", hint="Градиент A проходит через B, а B — ноль.")
def test_first_gradients(solution, given, draw):
    """До первого шага градиент A — ноль, градиент B — нет"""
    *_, model = wrapped(solution, given, draw)
    gradients = model.backward(draw.tensor(8, K), draw.tensor(8, D))
    if bool(gradients[A].any()) or not bool(gradients[B].any()):
        raise Mistake("", "Градиенты не те", expected="у A ноль, у B нет", got="иначе")


@check(concept="peft-train", hint="Потеря — средний квадрат ошибки до шага.")
def test_loss(solution, given, draw):
    """Шаг возвращает потерю до него и уменьшает её"""
    first, second, model = filled(solution, given, draw)
    x, target = draw.tensor(32, K), draw.tensor(32, D)
    before = solution.step(model, x, target, 1e-4)
    number(before, float((answer(first, second, x) - target).square().mean()), what="потеря", rtol=1e-3)
    if not float((model(x) - target).square().mean()) < before:
        raise Mistake("", "Шаг не уменьшил потерю", expected=f"меньше {before:.4g}", got="не меньше")


@check(concept="peft-merge", hint="merge_and_unload.")
def test_merged_answers_alike(solution, given, draw):
    """После слияния ответы прежние"""
    *_, model = filled(solution, given, draw)
    x = draw.tensor(8, K)
    before = model(x)
    close(solution.merge(model)(x), before, **ROUNDING)


@check(concept="peft-merge", hint="W + (α/r)·BA.")
def test_merged_weight(solution, given, draw):
    """Слитый вес равен W + (α/r)·BA, адаптера больше нет"""
    first, second, model = filled(solution, given, draw)
    state = solution.merge(model).state()
    if set(state) != {"0.weight", "2.weight"}:
        raise Mistake("", "После слияния остались лишние веса", expected="0.weight, 2.weight", got=", ".join(state))
    close(state["0.weight"], first, what="вес слоя «0»", **ROUNDING)
    close(state["2.weight"], second, what="вес слоя «2»", **ROUNDING)
