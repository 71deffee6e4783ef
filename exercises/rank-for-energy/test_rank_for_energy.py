"""Checks of rank_for_energy and low_rank. The matrices are built here from chosen singular values, so every answer is
known before any SVD; shares lie between two attainable ones, where rounding cannot decide.
"""

import torch

from graders.host.checking import Mistake, check, close, equal_shape, number, show

ROUNDING = {"rtol": 1e-3, "atol": 1e-3}


def matrix_of(draw, sigma, rows, columns):
    """A (rows, columns) matrix with singular values ``sigma`` in random directions."""
    left = torch.linalg.qr(draw.tensor(rows, len(sigma)))[0]  # (m, p), orthonormal columns
    right = torch.linalg.qr(draw.tensor(columns, len(sigma)))[0]  # (n, p)
    return (left * torch.tensor(sigma)) @ right.T


def smallest_rank(parts, share):
    """The answer if direction i holds ``parts[i]`` of the whole."""
    held = 0.0
    for rank, part in enumerate(parts, 1):
        held += float(part)
        if held >= share * float(sum(parts)):
            return rank
    return len(parts)


def rank_of(solution, matrix, share):
    """The learner's answer, once it is known to be a whole number."""
    got = solution.rank_for_energy(matrix, share)
    if got is None:
        raise Mistake("", "rank_for_energy ничего не вернула: забыт return?", expected="int", got="None")
    if type(got) is torch.Tensor and got.numel() == 1 and not got.dtype.is_floating_point:
        return int(got)
    if type(got) is not int:
        raise Mistake("", "Ранг — целое число, а ответ другого типа", expected="int", got=show(got))
    return got


def ask(solution, matrix, share, wanted, wrong=None):
    """Compare the learner's rank; one less and one more than the right rank are mistakes of their own."""
    known = {
        wanted - 1: ("RANK_OFF_BY_ONE", "Ранг на единицу меньше: места считают с нуля, а ранг — это количество"),
        wanted + 1: ("RANK_NOT_SMALLEST", "Ранг на единицу больше: доля набрана уже раньше"),
        **(wrong or {}),
    }
    number(rank_of(solution, matrix, share), wanted, what="ранг", wrong=known)


@check(
    concept="svd-energy",
    points=2,
    hint="Энергия — это сумма квадратов. Возведите сингулярные числа в квадрат до того, как складывать.",
    misconception="SINGULAR_NOT_SQUARED",
)
def test_squares(solution, draw):
    """Энергия — это квадраты сингулярных чисел"""
    sigma = [9.0, 4.0, 3.0, 2.0, 2.0, 1.0]
    for share in (0.8, 0.9):
        matrix = matrix_of(draw, sigma, 8, 20)
        columns = matrix.square().sum(0).sort(descending=True).values
        in_columns = "Взяты самые большие столбцы, а нужны сингулярные числа"
        plain_sum = "Сложены сами сингулярные числа, а не их квадраты"
        wrong = {
            smallest_rank(columns, share): ("ENTRIES_AS_SPECTRUM", in_columns),
            smallest_rank(sigma, share): ("SINGULAR_NOT_SQUARED", plain_sum),
        }
        ask(solution, matrix, share, smallest_rank([value**2 for value in sigma], share), wrong)


@check(
    concept="svd-energy",
    points=2,
    hint="Найдите первое место, где накопленной энергии хватает. Номер места и ранг отличаются на единицу.",
    misconception="RANK_OFF_BY_ONE",
)
def test_smallest(solution, draw):
    """Ранг — наименьший из тех, при которых доля набрана"""
    even = matrix_of(draw, [2.0] * 5, 6, 6)  # each direction holds a fifth
    for share, wanted in ((0.1, 1), (0.3, 2), (0.5, 3), (0.9, 5)):
        ask(solution, even, share, wanted)
    ask(solution, torch.diag(torch.tensor([1.0, 2.0])), 0.8, 1)  # 4 of 5: exactly the share


@check(
    concept="svd-energy",
    points=1,
    hint="Сингулярных чисел столько, сколько в меньшей стороне матрицы: torch.linalg.svdvals примет любую форму.",
)
def test_rectangular(solution, draw):
    """Высокая и широкая матрицы"""
    sigma = [4.0, 3.0, 2.0]
    for rows, columns in ((9, 3), (3, 9), (1, 7)):
        kept = sigma[: min(rows, columns)]
        for share in (0.5, 0.8, 0.95):
            wanted = smallest_rank([value**2 for value in kept], share)
            ask(solution, matrix_of(draw, kept, rows, columns), share, wanted)


@check(
    concept="svd-energy",
    points=1,
    hint="При share = 1 нужны все направления, кроме тех, чью энергию можно списать на округление.",
)
def test_full_share(solution, draw):
    """При share = 1 ответ — ранг матрицы"""
    left, right = (torch.cat([torch.eye(3), (3 * draw.tensor(side, 3)).round()]) for side in (5, 3))
    ask(solution, left @ right.T, 1.0, 3)  # whole numbers: the rank is exactly 3
    ask(solution, torch.diag(torch.tensor([5.0, 0.1, 2.0, 1.0])), 1.0, 4)  # weak, yet far above rounding


@check(
    concept="svd-rounding",
    points=1,
    hint="Сравнивайте накопленную долю не с share, а с share минус допуск 1e-6.",
    misconception="ROUNDING_AS_SIGNAL",
)
def test_rounding(solution, draw):
    """Шум округления ранга не добавляет"""
    left, right = (torch.linalg.qr(draw.tensor(side, 3).double())[0] for side in (7, 6))
    noisy, clean = ((left * torch.tensor([3.0, 2.0, tail]).double()) @ right.T for tail in (2e-6, 0.0))
    if rank_of(solution, clean, 0.3) >= rank_of(solution, clean, 1.0):
        raise Mistake("", "Для доли 0,3 и для доли 1 ответ один и тот же", expected="0,3 держит одно направление")
    got = rank_of(solution, noisy, 1.0)
    if got != rank_of(solution, clean, 1.0):  # a rank that is wrong without noise is another check's business
        noise = ("ROUNDING_AS_SIGNAL", "Ранг добран шумом: недостача до одной миллионной — это округление")
        number(got, 2, what="ранг", wrong=dict.fromkeys(range(3, 7), noise))


@check(
    concept="svd-rounding",
    points=1,
    hint="Проверьте, не равна ли нулю вся энергия, до того как искать её долю.",
    misconception="ZERO_ENERGY",
)
def test_zero_matrix(solution):
    """У нулевой матрицы ранг 0"""
    if not rank_of(solution, torch.eye(3), 1.0):
        raise Mistake("", "У единичной матрицы 3 × 3 ранг тоже вышел нулевым", expected="3", got="0")
    needless = ("ZERO_ENERGY", "У нулевой матрицы энергии нет, и ни одно направление не нужно")
    for rows, columns in ((4, 4), (2, 5)):
        got = rank_of(solution, torch.zeros(rows, columns), 0.9)
        number(got, 0, what="ранг", wrong=dict.fromkeys(range(1, 6), needless))


@check(
    concept="low-rank",
    points=2,
    hint="Сложите первые r слагаемых σᵢ·uᵢ·vᵢᵀ. Строки Vh — это уже vᵢᵀ.",
    misconception="VH_TRANSPOSED",
)
def test_low_rank_best(solution, draw):
    """low_rank возвращает ближайшую матрицу ранга r"""
    sigma = [8.0, 5.0, 3.0, 2.0, 1.0]
    for rank in (1, 2, 4):
        left, right = (torch.linalg.qr(draw.tensor(5, 5))[0] for _ in range(2))
        terms = torch.stack([sigma[i] * torch.outer(left[:, i], right[:, i]) for i in range(5)])  # (5, m, n)
        got, wanted = solution.low_rank(terms.sum(0), rank), terms[:rank].sum(0)
        equal_shape(got, wanted, what="low_rank")
        recognise_low_rank(got, wanted, terms[-rank:].sum(0), rank)
        close(got, wanted, what="low_rank", **ROUNDING)


def recognise_low_rank(got, wanted, tail, rank):
    """Raise for a known mistake: the weakest directions, or the right singular values along wrong directions."""
    got = got.to(wanted.dtype)
    if not bool(got.isfinite().all()) or torch.allclose(got, wanted, **ROUNDING):
        return
    if torch.allclose(got, tail, **ROUNDING):
        sentence = "Оставлены самые слабые направления, а нужны самые сильные"
        raise Mistake("TAIL_KEPT", sentence, expected=f"первые {rank}", got=f"последние {rank}")
    if torch.allclose(torch.linalg.svdvals(got), torch.linalg.svdvals(wanted), **ROUNDING):
        raise Mistake(
            "VH_TRANSPOSED",
            "Сингулярные числа верные, а направления нет: torch.linalg.svd возвращает уже Vᵀ",
            expected="первые r строк Vh",
            got="строки другой матрицы",
        )


@check(
    concept="low-rank",
    points=1,
    hint="full_matrices=False оставляет min(m, n) направлений — ровно столько, сколько сингулярных чисел.",
)
def test_low_rank_rectangular(solution, draw):
    """Форма сохраняется, а полный ранг возвращает саму матрицу"""
    for rows, columns in ((7, 4), (4, 7)):
        matrix = matrix_of(draw, [6.0, 3.0, 2.0, 1.0], rows, columns)
        equal_shape(solution.low_rank(matrix, 2), matrix, what="low_rank")
        close(solution.low_rank(matrix, 4), matrix, what="low_rank при полном ранге", **ROUNDING)


@check(
    concept="pure-function",
    points=1,
    hint="Ищите -=, *= и методы с подчёркиванием в конце: они меняют сам тензор.",
    misconception="INPUT_MUTATED",
)
def test_input_untouched(given, draw):
    """Обе функции не трогают матрицу, которую им дали"""
    matrix = draw.tensor(5, 4)
    for name, argument in (("rank_for_energy", 0.9), ("low_rank", 2)):
        got, left = given.after(name, matrix, argument)
        if not plausible(got):
            raise Mistake("", f"{name} не вернула похожего на правду ответа", got=show(got))
        if not torch.equal(left, matrix):
            raise Mistake(
                "INPUT_MUTATED",
                "Функция изменила матрицу, которую ей дали: после вызова она другая",
                expected="тот же тензор, что до вызова",
                got=f"другие числа после {name}",
            )


def plausible(got):
    """A rank or an approximation of a (5, 4) matrix, right or not: no merit in leaving alone what is never read."""
    if type(got) is int or (type(got) is torch.Tensor and got.numel() == 1):
        return 0 <= int(got) <= 4
    return type(got) is torch.Tensor and got.shape == (5, 4) and bool(got.any())
