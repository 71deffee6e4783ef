"""Checks of the grader's own test exercise."""

import torch

from graders.host.checking import Mistake, check, close, number

CANARY = "hidden-canary-7f3a91"


@check(concept="doubling", points=2, hint="Умножьте на два.")
def test_tensor(solution, draw):
    """Тензор удваивается"""
    x = draw.tensor(3, 4)
    close(solution.double(x), 2 * x, what="удвоенный тензор")


@check(concept="doubling", points=1)
def test_negative(solution, draw):
    """Отрицательные числа тоже"""
    x = -draw.tensor(5).abs()
    got = solution.double(x)
    if not torch.equal(got, 2 * x):
        raise Mistake("", "С отрицательными числами что-то не так")


@check(concept="counting", points=1, misconception="OFF_BY_ONE")
def test_count(solution, draw):
    """Число удваивается"""
    n = draw.integer(10, 10**6)
    number(solution.count(n), 2 * n, wrong={2 * n + 1: ("OFF_BY_ONE", "Лишняя единица")})


@check(concept="layers", points=2)
def test_layer(solution, given, draw):
    """Слой удваивает ответ"""
    weight, x = draw.tensor(4, 3), draw.tensor(2, 3)
    layer = solution.Doubler(given.linear(weight))
    close(layer(x), 2 * x @ weight.T, what="ответ слоя")
