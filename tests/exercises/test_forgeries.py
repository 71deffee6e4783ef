"""A submission that attacks the judge instead of solving the exercise earns nothing, in every exercise."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.exercise import load_all
from graders.host.engine import Engine
from graders.protocol import Job, Outcome

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"

BODIES = {
    "lora-linear": """
from torch import nn
class LoRALinear(nn.Module):
    A = B = property(lambda self: answer(None))
    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base = base
    def forward(self, x):
        return answer(x)
    def merge(self):
        return answer(None)
    def unmerge(self):
        return answer(None)
""",
    "lora-params": """
def lora_params(config, rank, targets):
    return answer(None)
""",
    "rank-for-energy": """
def rank_for_energy(matrix, share):
    return answer(None)
def low_rank(matrix, rank):
    return answer(matrix)
""",
}
"""What each exercise asks for, doing nothing but to return ``answer``: a claim without work."""

WRONG = """
import torch
def answer(x):
    return -7 if x is None else torch.zeros(x.shape)
"""

ATTACKS = {
    "wrong, without an attack": WRONG,
    "os._exit(0) at import": WRONG + "import os; os._exit(0)",
    "os._exit(0) in a call": "import os\ndef answer(x):\n    os._exit(0)",
    "sys.exit(0) in a call": "import sys\ndef answer(x):\n    sys.exit(0)",
    "comparisons patched": WRONG
    + """
import builtins, math
yes = lambda *args, **kwargs: True
torch.allclose = torch.equal = torch.isclose = math.isclose = yes
torch.testing.assert_close = torch.testing.assert_allclose = yes
torch.Tensor.__eq__ = torch.Tensor.__ne__ = torch.Tensor.__bool__ = yes
torch.Tensor.allclose = torch.Tensor.equal = yes
builtins.isinstance = yes
import pytest
pytest.fail = yes
""",
    "an object equal to everything": """
class Same(int):
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = lambda self, *other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
    __getattr__ = __call__ = __getitem__ = __add__ = __sub__ = __mul__ = lambda self, *rest: self
def answer(x):
    return Same(1)
""",
    "a tensor that lies": """
import torch
class Same(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
def answer(x):
    return torch.zeros(3).as_subclass(Same)
""",
    "atexit": WRONG
    + """
import atexit, glob, os
@atexit.register
def forge():
    for path in glob.glob('/**/*.xml', recursive=True) + ['result.json', 'junit.xml']:
        open(path, 'w').write('<testsuite failures="0" errors="0"/>')
    os._exit(0)
""",
    "a walk over stack frames": """
import gc, sys, torch
def answer(x):
    frame = sys._getframe()
    while frame is not None:
        for name in ('wanted', 'want', 'expected'):
            if name in frame.f_locals:
                return frame.f_locals[name]
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            for secret in getattr(getattr(value, '__code__', None), 'co_consts', None) or ():
                if type(secret) is int and secret > 1000:
                    return secret
        frame = frame.f_back
    for found in gc.get_objects():
        if callable(found) and str(getattr(found, '__name__', '')).startswith('test_'):
            return found
    return -7 if x is None else torch.zeros(x.shape)
""",
    "the solution read from disk": """
import glob, os, torch
for top in ['/', *glob.glob('/proc/*/root'), *glob.glob('/proc/*/cwd')]:
    for folder, inner, files in os.walk(top):
        inner[:] = [name for name in inner if name not in ('proc', 'site-packages')]
        for name in files:
            if name == 'solution.py' or name.startswith('test_') and name.endswith('.py'):
                text = open(os.path.join(folder, name), errors='replace').read()
                if 'lora_params' in text or 'low_rank' in text:
                    raise SystemExit(text)
def answer(x):
    return -7 if x is None else torch.zeros(x.shape)
""",
    "bytes in every descriptor": WRONG
    + """
import os
for number in range(3, 64):
    try:
        os.write(number, b'\\x00' * 12 + b'[1,"ok",true]')
    except OSError:
        continue
""",
}


def test_every_exercise_is_attacked() -> None:
    assert set(BODIES) == set(load_all(EXERCISES)), "a new exercise needs a body here"


@pytest.mark.slow
@pytest.mark.parametrize("slug", BODIES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forgery_earns_nothing(slug: str, attack: str, engine: Engine) -> None:
    verdict = engine.grade(Job(slug, (ATTACKS[attack] + BODIES[slug]).encode()))
    earned = [check.id for check in verdict.checks if check.earned]
    assert (verdict.points, earned) == (0, [])
    assert verdict.possible > 0
    assert verdict.outcome not in {Outcome.PASSED, Outcome.PARTIAL, Outcome.INFRA_ERROR, Outcome.NOT_ATTEMPTED}
    assert verdict.message


@pytest.mark.slow
@pytest.mark.parametrize("slug", BODIES)
def test_the_engine_grades_honest_work_after_the_attacks(slug: str, engine: Engine) -> None:
    for attack in ("os._exit(0) in a call", "comparisons patched", "bytes in every descriptor"):
        engine.grade(Job(slug, (ATTACKS[attack] + BODIES[slug]).encode()))
    verdict = engine.grade(Job(slug, (EXERCISES / slug / "solution.py").read_bytes()))
    assert verdict.outcome is Outcome.PASSED, verdict.message
