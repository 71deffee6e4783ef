"""Checks that read files: the weights are loaded onto the judge's own base, and only what they do there counts."""

import torch

from graders.host.checking import Mistake, check, json_object, safetensors

WEIGHTS, CONFIG = "adapter/adapter_model.safetensors", "adapter/adapter_config.json"


@check(concept="adapter-file", points=2)
def test_learns(solution, given, files, draw):
    """Адаптер из файла уменьшает потерю"""
    weight, shift, x = draw.tensor(5, 6), draw.tensor(5, 2) @ draw.tensor(2, 6), draw.tensor(64, 6)
    y = x @ (weight + shift).T
    solution.train(given.model(weight), x, y)
    found = safetensors(files[WEIGHTS], what="adapter_model.safetensors")
    config = json_object(files[CONFIG], what="adapter_config.json")
    a = next((value for name, value in found.items() if name.endswith("lora_A.weight")), None)
    b = next((value for name, value in found.items() if name.endswith("lora_B.weight")), None)
    if a is None or b is None or a.shape != (2, 6) or b.shape != (5, 2):
        raise Mistake("", "В файле нет A и B ранга 2")
    scale = config.get("lora_alpha") / config.get("r")
    before = torch.nn.functional.mse_loss(x @ weight.T, y)
    after = torch.nn.functional.mse_loss(x @ (weight + scale * b @ a).T, y)
    if not after < before / 2:
        raise Mistake("", "Адаптер из файла не уменьшает потерю хотя бы вдвое")


@check(concept="adapter-file")
def test_config(solution, given, files, draw):
    """В настройках ранг 2, и решение после чтения файлов отвечает заново"""
    x = draw.tensor(8, 6)
    solution.train(given.model(draw.tensor(5, 6)), x, draw.tensor(8, 5))
    rank = json_object(files[CONFIG], what="adapter_config.json").get("r")
    if rank != 2:
        raise Mistake("", "В adapter_config.json ранг не 2", expected="2", got=str(rank))
    solution.train(given.model(draw.tensor(5, 6)), x, draw.tensor(8, 5))
