"""Что проверки строят рядом с вашим кодом. Файл открытый: прочитать его — не подсказка, а полезная привычка."""

import torch
from torch import nn


def linear(weight: torch.Tensor, bias: torch.Tensor | None = None) -> nn.Linear:
    """Обычный слой с заданным весом (d, k) и сдвигом (d,); веса не заморожены — это забота LoRALinear."""
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def fill(layer: nn.Module, a: torch.Tensor, b: torch.Tensor) -> None:
    """Кладёт a (r, k) и b (d, r) в матрицы адаптера.

    Если формы перепутаны, ищет, куда числа входят: за формы есть своя проверка.
    """
    with torch.no_grad():
        for value in (a, b):
            for slot in (layer.A, layer.B):
                if slot.shape == value.shape:
                    slot.copy_(value)
                elif slot.shape == value.T.shape:
                    slot.copy_(value.T)


def step(layer: nn.Module, x: torch.Tensor, target: torch.Tensor, rate: float) -> None:
    """Один шаг SGD по всем параметрам, которые слой не заморозил; потеря — средний квадрат ошибки."""
    trained = [parameter for parameter in layer.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=rate)
    optimizer.zero_grad()
    nn.functional.mse_loss(layer(x), target).backward()
    optimizer.step()


def on_paper(layer_class: type[nn.Module]) -> dict[str, object]:
    """Пример из условия, посчитанный вашим слоем: ответ (29, 46) до слияния и после него."""
    base = linear(torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]), torch.tensor([10.0, 20.0]))
    layer = layer_class(base, rank=1, alpha=2)
    fill(layer, torch.tensor([[1.0, 1.0, 1.0]]), torch.tensor([[1.0], [2.0]]))
    x = torch.tensor([1.0, 2.0, 3.0])
    before = layer(x).tolist()
    layer.merge()
    return {"ответ": before, "ответ после merge": layer(x).tolist(), "вес после merge": base.weight.tolist()}
