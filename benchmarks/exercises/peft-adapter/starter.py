"""LoRA через peft: обернуть, посчитать, шагнуть, слить."""


def wrap(network, rank, alpha, targets):
    """network с адаптерами ранга rank на слоях targets."""
    raise NotImplementedError


def trainable(model):
    """Сколько параметров учится."""
    raise NotImplementedError


def step(model, x, target, rate):
    """Один шаг SGD по адаптеру; потеря до него."""
    raise NotImplementedError


def merge(model):
    """Сеть без адаптеров, которая отвечает так же."""
    raise NotImplementedError
