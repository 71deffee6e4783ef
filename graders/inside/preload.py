"""What the zygote imports before it forks, so that no grading pays for it. Runs no operation of torch in the zygote.

Many modules are imported by the first use, not by ``import torch``. So a throwaway child does one small training step
and tells which modules appeared; the zygote then imports the same. Leaves out the course's own code.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import random
import sys
import warnings

from graders import forking

MODULES = ("numpy", "torch", "torch.nn.functional", "transformers", "peft")


def warm() -> None:
    """Import everything, freeze the garbage collector's view, check that there is one thread.

    Raises:
        RuntimeError: an import started a thread; a fork would not be safe.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(name)
        import torch

        torch.set_num_threads(1)
        for name in forking.in_child(_use):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()
    if os.path.isdir("/proc/self/task") and len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH112, PTH208
        raise RuntimeError("the zygote has more than one thread")


def reseed() -> None:
    """Give this fork its own random state: all forks inherit the same one."""
    import numpy as np
    import torch

    seed = int.from_bytes(os.urandom(4), "big")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _use() -> list[str]:
    """What submissions do: a LoRA step with an optimizer, a spectrum, a printed tensor, a forward of a small model."""
    import peft
    import torch

    before = set(sys.modules)
    layers = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4))
    model = peft.get_peft_model(layers, peft.LoraConfig(r=2, target_modules=["0"]))
    optimizer = torch.optim.AdamW(model.parameters())
    torch.nn.functional.mse_loss(model(torch.randn(2, 4)), torch.zeros(2, 4)).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    torch.linalg.svd(torch.randn(3, 3))
    torch.testing.assert_close(torch.ones(2), torch.ones(2))
    repr(torch.randn(2)), repr(model), model.merge_and_unload()
    return [name for name in sys.modules if name not in before]
