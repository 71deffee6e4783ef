"""What the judge's zygote imports before it forks: torch, peft, pytest, and what their first use would import."""

from __future__ import annotations

import gc
import importlib
import sys
import tempfile
import warnings
from pathlib import Path

from graders import forking

MODULES = ("numpy", "torch", "torch.nn.functional", "peft", "pytest", "graders.host.checking", "graders.host.judge")

_SAMPLE = '''
import torch
from graders.host.checking import check, close
@check(concept="c")
def test_sample(draw):
    """t"""
    x = draw.tensor(2, 2).requires_grad_()
    torch.nn.functional.mse_loss(x @ x, torch.zeros(2, 2)).backward()
    torch.linalg.matrix_rank(x.detach()), torch.linalg.svd(x.detach())
    close(x.detach(), x.detach() + 1)
'''


def judge() -> None:
    """Import everything; a throwaway child runs one check to learn what its first use imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(name)
        import torch

        torch.set_num_threads(1)
        for name in forking.in_child(_use):
            if name in sys.modules:
                continue
            try:
                importlib.import_module(name)
            except ImportError:
                continue
    gc.collect()
    gc.freeze()


def _use() -> list[str]:
    import pytest

    from graders.host.draw import Draw

    class Plugin:
        @pytest.fixture
        def draw(self) -> Draw:
            return Draw(1)

    from graders.host.judge import ARGUMENTS

    before = set(sys.modules)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_sample.py"
        path.write_text(_SAMPLE, encoding="utf-8")
        pytest.main([str(path), "--rootdir", folder, *ARGUMENTS], plugins=[Plugin()])
    return [name for name in sys.modules if name not in before]
