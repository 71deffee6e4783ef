import torch


def ones():
    return torch.ones(4, 4)


def model(weight):
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    with torch.no_grad():
        layer.weight.copy_(weight)
    return torch.nn.Sequential(layer)
