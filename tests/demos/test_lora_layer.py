"""The teaching layer does what PEFT does, and the formulas of its gradients are the ones autograd finds."""

from __future__ import annotations

from typing import Any

import pytest

from demos import registry

pytestmark = pytest.mark.slow


def layer(inputs: int = 24, outputs: int = 10, rank: int = 4, alpha: float = 6) -> Any:
    import torch

    from demos.lora.layer import LoRALinear

    torch.manual_seed(1)
    return LoRALinear(torch.nn.Linear(inputs, outputs), rank, alpha)


def trained(**sizes: Any) -> Any:
    import torch

    made = layer(**sizes)
    with torch.no_grad():
        made.B.normal_()
    return made


def test_the_same_a_and_b_give_what_peft_gives() -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    ours = trained()
    model = torch.nn.Sequential(torch.nn.Linear(24, 10))
    model[0].load_state_dict(ours.base.state_dict())
    theirs = get_peft_model(model, LoraConfig(r=4, lora_alpha=6, target_modules=["0"]))  # type: ignore[arg-type]
    wrapped = theirs.base_model.model[0]
    with torch.no_grad():
        wrapped.lora_A["default"].weight.copy_(ours.A)
        wrapped.lora_B["default"].weight.copy_(ours.B)
    x = torch.randn(3, 5, 24)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.delta(), wrapped.get_delta_weight("default"))
    merged = theirs.merge_and_unload()[0]
    ours.merge()
    torch.testing.assert_close(ours.base.weight, merged.weight)


def test_it_starts_as_peft_does() -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    ours = layer(inputs=400, outputs=300, rank=64)
    model = torch.nn.Sequential(torch.nn.Linear(400, 300))
    theirs = get_peft_model(model, LoraConfig(r=64, target_modules=["0"])).base_model.model[0]  # type: ignore[arg-type]
    for a in (ours.A, theirs.lora_A["default"].weight):
        assert 0.99 / 20 < a.abs().max().item() <= 1 / 20  # uniform within ±1/√400
    assert not ours.B.any()
    assert not theirs.lora_B["default"].weight.any()


def test_only_a_and_b_learn() -> None:
    import torch

    made = layer()
    x = torch.randn(7, 24)
    torch.testing.assert_close(made(x), made.base(x), rtol=0, atol=0)
    made(x).square().mean().backward()
    assert {name for name, parameter in made.named_parameters() if parameter.requires_grad} == {"A", "B"}
    assert made.base.weight.grad is None
    assert not made.A.grad.any()
    assert made.B.grad.any()


def test_merge_and_unmerge_undo_each_other_and_may_be_called_twice() -> None:
    import torch

    made, x = trained(), torch.randn(7, 24)
    before, weight = made(x).detach(), made.base.weight.clone()
    made.merge()
    made.merge()
    torch.testing.assert_close(made(x), before)
    torch.testing.assert_close(made.base.weight, weight + 1.5 * made.B @ made.A)
    made.unmerge()
    made.unmerge()
    torch.testing.assert_close(made(x), before)
    torch.testing.assert_close(made.base.weight, weight)


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="rank"):
        layer(rank=0)


def test_the_first_step_moves_b_and_not_a() -> None:
    standard, both, zero, a_zero = (
        registry.call("lora.first_step", {"init": init, "d": 48, "k": 96})
        for init in ("standard", "both-random", "both-zero", "a-zero")
    )
    assert (standard.output_shift, standard.grad_a) == (0, 0)
    assert standard.grad_b > 0
    assert both.output_shift > 0.1
    assert (zero.output_shift, zero.grad_a, zero.grad_b) == (0, 0, 0)
    assert (a_zero.output_shift, a_zero.grad_b) == (0, 0)
    assert a_zero.grad_a > 0


@pytest.mark.parametrize(("d", "k", "rank", "alpha"), [(5, 9, 2, 7), (64, 64, 8, 16), (1, 30, 3, 1), (30, 1, 1, 0.5)])
def test_the_gradient_formulas_are_those_of_autograd(d: int, k: int, rank: int, alpha: float) -> None:
    step = registry.call("lora.first_step", {"d": d, "k": k, "rank": rank, "alpha": alpha, "seed": 3})
    assert step.error_a < 1e-5
    assert step.error_b < 1e-5


def test_merging_is_exact_up_to_rounding_and_forgetting_the_scale_is_not() -> None:
    single = registry.call("lora.merge", {})
    half = registry.call("lora.merge", {"dtype": "bfloat16"})
    assert 0 < single.forward_error < 1e-5
    assert single.restore_error < 1e-5
    assert 1e-3 < half.forward_error < 0.05
    assert single.without_scale_error > 0.1
    assert registry.call("lora.merge", {"alpha": 8}).without_scale_error < 1e-5


def test_a_task_of_few_directions_leaves_an_update_of_few_directions() -> None:
    adapted = registry.call("lora.spectrum", {"d": 96, "k": 128, "directions": 5, "rank": 5})
    random = registry.call("lora.spectrum", {"d": 96, "k": 128, "directions": 5, "rank": 5, "kind": "random"})
    assert adapted.energy > 0.9
    assert adapted.rank_for_90 <= 5
    assert random.energy < 0.2
    assert random.rank_for_90 > 40
    assert (len(adapted.curve), adapted.full_rank, adapted.curve[-1]) == (96, 96, pytest.approx(1))
    assert list(adapted.curve) == sorted(adapted.curve)
    assert adapted.adapted_curve == adapted.curve
    assert random.curve == random.random_curve == adapted.random_curve


def test_the_learned_update_follows_the_noise_and_the_seed() -> None:
    sizes = {"d": 48, "k": 48, "directions": 4, "rank": 4}
    quiet, loud = (registry.call("lora.spectrum", {**sizes, "noise": noise}) for noise in (0, 1))
    assert quiet.energy > 0.999
    assert loud.energy < 0.8
    assert registry.call("lora.spectrum", sizes) == registry.call("lora.spectrum", sizes)
    assert registry.call("lora.spectrum", {**sizes, "seed": 1}).curve != registry.call("lora.spectrum", sizes).curve


def test_energy_is_what_the_best_approximation_keeps() -> None:
    import torch

    from demos.lora.spectrum import _energy

    torch.manual_seed(0)
    matrix = torch.randn(20, 30)
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    best = (u[:, :6] * s[:6]) @ v[:6]
    lost = ((matrix - best).norm() / matrix.norm()).item() ** 2
    assert _energy(matrix)[5] == pytest.approx(1 - lost, rel=1e-5)
