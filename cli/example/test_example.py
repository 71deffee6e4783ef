"""Hidden checks of scaled. They run outside the sandbox; from the learner's code come back plain data and tensors.

``pure`` accepts an answer with a wrong factor: what is wrong with the factor costs its points in ``scale`` alone.
"""

import torch

from graders.host.checking import Mistake, check, close, show


@check(
    concept="lora-scale",
    points=2,
    hint="Множитель один на все числа: alpha делится на rank.",
    misconception="ALPHA_IGNORED",
)
def test_scale(solution, draw):
    """Поправка умножена на α/r"""
    update, rank = draw.tensor(3, 5), draw.integer(2, 7)
    alpha = rank * draw.number(1.5, 4.0)  # so that α, r, α/r and 1 are all different
    wrong = [
        (update, "ALPHA_IGNORED", "Множитель α/r не применён: ответ равен самой поправке"),
        (update * alpha, "SCALE_NOT_DIVIDED", "Поправка умножена на α, а не на α/r: забыто деление на ранг"),
        (update * (rank / alpha), "SCALE_INVERTED", "Дробь перевёрнута: поправка умножена на r/α"),
    ]
    close(solution.scaled(update, alpha, rank), update * (alpha / rank), what="поправка", wrong=wrong)


@check(
    concept="pure-function",
    points=1,
    hint="Ищите *= и методы с подчёркиванием в конце: они меняют сам тензор.",
    misconception="INPUT_MUTATED",
)
def test_pure(given, draw):
    """Тензор, который дали, остался прежним"""
    update = draw.tensor(4, 6)
    got, left = given.after(update, 12.0, 4)
    if not plausible(got, update):
        raise Mistake("", "Функция не вернула похожего на правду ответа", got=show(got))
    if not torch.equal(left, update):
        raise Mistake(
            "INPUT_MUTATED",
            "Функция изменила тензор, который ей дали: после вызова он другой",
            expected="тот же тензор, что до вызова",
            got="другие числа",
        )


def plausible(got, update):
    """Some multiple of the update, right or not: there is no merit in leaving alone what is never read."""
    if type(got) is not torch.Tensor or got.shape != update.shape or not got.is_floating_point():
        return False
    factor = float((got * update).sum() / update.square().sum())
    return factor > 0 and torch.allclose(got, update * factor, rtol=1e-3, atol=1e-4)
