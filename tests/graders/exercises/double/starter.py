import torch


def double(x):
    raise NotImplementedError


def count(n):
    raise NotImplementedError


class Doubler(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        raise NotImplementedError
