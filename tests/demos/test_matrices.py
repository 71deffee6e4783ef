"""LoRA's matrices against numpy, against PEFT on the shipped adapter, against gradients taken without an adapter."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demos import registry
from demos.lora import inits, matrices, real_layer, snippets, updates
from demos.params import ParamsError
from settings import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing"),  # between the libraries: the deprecated alias
]


def looked(**arguments: Any) -> matrices.Result:
    result: matrices.Result = registry.call("lora.matrices", arguments)
    return result


@pytest.fixture(scope="module")
def in_the_course_folder() -> Any:
    """Code to copy names files from the course's folder."""
    before = Path.cwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)


@pytest.mark.parametrize(("layer", "kind"), [(3, "q_proj"), (0, "down_proj")])
def test_the_update_is_what_peft_would_merge(layer: int, kind: str, in_the_course_folder: None) -> None:
    scope: dict[str, Any] = {}
    exec(snippets.layer(matrices.Params(layer=layer, kind=kind)), scope)  # type: ignore[arg-type] # noqa: S102
    found = looked(layer=layer, kind=kind)
    update = scope["update"].numpy()
    assert found.ratio == pytest.approx(scope["ratio"], rel=1e-6)
    assert found.update.norm == pytest.approx(np.linalg.norm(update), rel=1e-6)
    assert found.update.largest == pytest.approx(np.abs(update).max(), rel=1e-5)
    adapter = next(one for one in found.spectra if one.name == "adapter")
    assert adapter.curve[:8] == pytest.approx(scope["curve"][:8], abs=1e-6)
    assert adapter.curve[found.trained_rank - 1] == pytest.approx(1, abs=1e-6)
    _each_cell_is_the_largest_of_its_block(found.update, update)


def _each_cell_is_the_largest_of_its_block(shown: matrices.Map, matrix: Any) -> None:
    high, wide = shown.block
    for row, cells in enumerate(shown.cells):
        for column, value in enumerate(cells):
            block = matrix[row * high : (row + 1) * high, column * wide : (column + 1) * wide].ravel()
            assert value == pytest.approx(block[np.abs(block).argmax()], abs=1e-6)


def test_a_map_neither_loses_an_outlier_nor_makes_one_up() -> None:
    import torch

    matrix = torch.zeros(200, 130)
    matrix[199, 129], matrix[0, 1] = -7.0, 3.0
    shown = matrices.picture("W", matrix)
    assert (shown.block, len(shown.cells), len(shown.cells[0])) == ((4, 3), 50, 44)
    assert (shown.cells[-1][-1], shown.cells[0][0], shown.largest) == (-7.0, 3.0, 7.0)
    assert sum(value != 0 for row in shown.cells for value in row) == 2


@pytest.mark.parametrize("rank", [1, 8, 64])
def test_the_best_approximation_of_full_fine_tuning_is_numpys(rank: int) -> None:
    found = looked(source="full", rank=rank)
    delta = updates.delta(3, "q_proj")
    assert delta is not None
    left, values, right = np.linalg.svd(delta.double().numpy(), full_matrices=False)
    best = (left[:, :rank] * values[:rank]) @ right[:rank]
    assert found.update.norm == pytest.approx(np.linalg.norm(best), rel=1e-5)
    assert found.update.largest == pytest.approx(np.abs(best).max(), rel=1e-4)
    assert found.energy == pytest.approx((values[:rank] ** 2).sum() / (values**2).sum(), rel=1e-5)
    full = found.spectra[0]
    assert full.curve[rank - 1] == pytest.approx(found.energy, abs=1e-4)  # stored in float32, ΔW in float16


def test_a_trained_update_needs_fewer_directions_than_noise_in_every_layer() -> None:
    for layer, kind in itertools.product(range(4), ("q_proj", "down_proj")):
        full, _, random = looked(layer=layer, kind=kind).spectra
        assert full.rank_for_90 < random.rank_for_90 / 2


def test_an_adapter_and_full_fine_tuning_share_directions_far_above_chance() -> None:
    for layer, kind in updates.WHOLE:
        shared = looked(layer=layer, kind=kind).overlap
        assert shared is not None
        assert shared.random_outputs == pytest.approx(4 / 192)
        assert shared.outputs > 5 * shared.random_outputs
        assert shared.inputs > 5 * shared.random_inputs
    same = real_layer.weight(0, "q_proj")
    whole = matrices.overlap(same, same, 7)
    assert (whole.outputs, whole.inputs) == pytest.approx((1, 1), abs=1e-5)
    assert looked(layer=1).overlap is None


def test_alpha_scales_the_update_and_zero_switches_it_off() -> None:
    once, twice, off = (looked(alpha=alpha) for alpha in (8, 16, 0))
    assert twice.ratio == pytest.approx(2 * once.ratio, rel=1e-6)
    assert (off.ratio, off.update.largest, off.merged.cells) == (0, 0, off.weight.cells)
    assert once.merged.norm == pytest.approx(
        np.linalg.norm(
            real_layer.weight(3, "q_proj").numpy()
            + 2 * np.matmul(*(part.numpy() for part in real_layer.factors(3, "q_proj")[1::-1]))
        ),
        rel=1e-6,
    )


@pytest.mark.parametrize(
    "arguments",
    [{"source": "full", "layer": 1}, {"rank": 0}, {"rank": 65}, {"alpha": "nan"}, {"layer": 4}, {"kind": "lm_head"}],
)
def test_what_cannot_be_shown_is_said(arguments: dict[str, Any]) -> None:
    with pytest.raises(ParamsError, match=r"[а-я]"):
        looked(**arguments)


def test_what_is_stored_was_made_from_this_base_and_learned_the_task() -> None:
    from demos.finetuning import measured

    known = updates.about()
    assert known.base == measured.base()
    assert known.spec == updates.SPEC
    assert known.after.right > 0.9 * known.after.of > known.before.right
    assert {"torch", "peft", "trl"} <= known.made.versions.keys()
    for layer, kind in updates.WHOLE:
        delta = updates.delta(layer, kind)
        assert delta is not None
        values = np.linalg.svd(delta.double().numpy(), compute_uv=False)
        assert updates.singular(layer, kind).numpy()[:20] == pytest.approx(values[:20], rel=2e-3)


@pytest.fixture(scope="module")
def begun() -> dict[str, inits.Row]:
    result: inits.Result = registry.call("lora.inits", {"steps": 3})
    return {row.init: row for row in result.rows}


@pytest.fixture(scope="module")
def gradient() -> Callable[..., Any]:
    """∂L/∂W of a layer, by autograd, without any adapter."""
    import copy

    import torch

    def of(layer: int, kind: str) -> Any:
        model = copy.deepcopy(inits._model())
        weight = model.get_submodule(updates.place(layer, kind)).weight.requires_grad_(True)
        return torch.autograd.grad(model(**inits._batch()).loss, weight)[0].double().numpy()

    return of


def test_where_b_is_zero_a_has_no_gradient_and_where_both_are_nothing_ever_moves(begun: dict[str, inits.Row]) -> None:
    for name in ("kaiming", "gaussian"):
        assert (begun[name].grad_a, begun[name].norm_b, begun[name].shift) == (0, 0, 0)
        assert begun[name].grad_b > 0
        assert begun[name].losses[-1] < begun[name].losses[0]
    zero = begun["zero"]
    assert (zero.grad_a, zero.grad_b) == (0, 0)
    assert len(set(zero.losses)) == 1


def test_pissa_olora_and_orthogonal_begin_where_the_model_was(begun: dict[str, inits.Row]) -> None:
    for name in ("pissa", "olora", "orthogonal"):
        assert begun[name].shift < 1e-3 < begun["random"].shift
        assert min(begun[name].grad_a, begun[name].grad_b) > 0
    weight = real_layer.weight(3, "q_proj").double().numpy()
    values = np.linalg.svd(weight, compute_uv=False)
    taken = np.sqrt((values[:8] ** 2).sum())
    assert begun["pissa"].norm_update == pytest.approx(taken, rel=1e-4)
    assert begun["pissa"].moved_base == pytest.approx(taken / np.linalg.norm(weight), rel=1e-4)
    assert begun["pissa"].norm_a == pytest.approx(np.sqrt(values[:8].sum() / 2), rel=1e-4)  # s = 2 is taken out
    assert begun["orthogonal"].norm_update < 1e-5


@pytest.mark.parametrize(("init", "layer", "kind"), [("kaiming", 3, "q_proj"), ("olora", 0, "down_proj")])
def test_first_gradients_follow_from_the_gradient_of_w(
    init: str, layer: int, kind: str, gradient: Callable[..., Any]
) -> None:
    params = inits.Params(layer=layer, kind=kind)  # type: ignore[arg-type]
    _, wrapped = inits.begin(init, params)
    a, b = (
        part["default"].weight.detach().double().numpy()
        for part in (wrapped.lora_A, wrapped.lora_B)  # (r, in), (out, r)
    )
    row = next(row for row in inits.inits(params).rows if row.init == init)
    whole, scale = gradient(layer, kind), params.alpha / params.rank
    assert row.grad_a == pytest.approx(np.linalg.norm(scale * b.T @ whole), rel=1e-3)
    assert row.grad_b == pytest.approx(np.linalg.norm(scale * whole @ a.T), rel=1e-3)


def test_the_code_to_copy_begins_alike(in_the_course_folder: None) -> None:
    params, scope = inits.Params(rank=3, layer=1), {}  # type: ignore[var-annotated]
    exec(snippets.inits(params), scope)  # noqa: S102
    result = inits.inits(params)
    assert "чётным" in result.skipped
    for row in result.rows:
        if row.init != "zero":
            assert (row.norm_a, row.norm_b, row.norm_update) == pytest.approx(scope["norms"][row.init], rel=1e-4)
