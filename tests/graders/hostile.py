"""Submissions that try to pass without being right, for the engine's tests and for the same tests of plain pytest.

Each is a wrong solution of the exercise ``double`` with an attack in it. ``forges``: plain in-process pytest is taken
in (it reports a check as passed that is not, or ends with code 0), which tests/graders/test_hostile.py shows.
"""

from __future__ import annotations

from dataclasses import dataclass

WRONG = """
import torch

def double(x):
    return 3 * x + 1

def count(n):
    return 7

class Doubler(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return 5 * self.layer(x)
"""


@dataclass(frozen=True)
class Attack:
    name: str
    source: str
    forges: bool = False  # plain pytest, shown by test_the_same_attacks_forge_plain_pytest


ATTACKS = (
    Attack("exit_at_import", "import os\nos._exit(0)\n" + WRONG, forges=True),
    Attack("exit_inside_call", WRONG + "\nimport os\ndef double(x):\n    os._exit(0)\n", forges=True),
    Attack("sys_exit", "import sys\nsys.exit(0)\n" + WRONG),
    Attack(
        "patched_torch",
        """
import torch
torch.allclose = lambda *a, **k: True
torch.equal = lambda *a, **k: True
torch.testing.assert_close = lambda *a, **k: None
torch.Tensor.__eq__ = lambda self, other: torch.ones((), dtype=torch.bool)
torch.Tensor.__lt__ = lambda self, other: torch.ones((), dtype=torch.bool)
"""
        + WRONG,
        forges=True,
    ),
    Attack(
        "patched_pytest",
        """
try:
    import _pytest.reports as r
    original = r.TestReport.from_item_and_call.__func__
    def lie(cls, item, call):
        call.excinfo = None
        return original(cls, item, call)
    r.TestReport.from_item_and_call = classmethod(lie)
except ImportError:
    pass
"""
        + WRONG,
        forges=True,
    ),
    Attack(
        "equal_to_everything",
        WRONG
        + """
class Yes:
    shape = ndim = dtype = None
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return self
    def __bool__(self): return True
    def all(self): return self
    def __hash__(self): return 0
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
def double(x): return Yes()
def count(n): return Yes()
""",
        forges=True,
    ),
    Attack(
        "int_that_lies",
        WRONG
        + """
class Lie(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
def count(n): return Lie(5)
""",
        forges=True,
    ),
    Attack(
        "float_that_lies", WRONG + "\nclass Lie(float):\n    __eq__ = lambda s, o: True\ndef count(n): return Lie(5)\n"
    ),
    Attack(
        "tensor_that_lies",
        WRONG
        + """
class Lie(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in (torch.allclose, torch.equal): return True
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))
def double(x): return (x * 3).as_subclass(Lie)
""",
        forges=True,
    ),
    Attack(
        "class_spoof",
        WRONG
        + """
class Lie:
    @property
    def __class__(self): return int
    def __eq__(self, other): return True
    def __index__(self): return 3
def count(n): return Lie()
""",
        forges=True,
    ),
    Attack(
        "atexit",
        """
import atexit, os, pathlib
def rewrite():
    for path in pathlib.Path('.').rglob('*.xml'):
        path.write_text('<testsuites><testsuite failures="0" errors="0" tests="4"/></testsuites>')
    os._exit(0)
atexit.register(rewrite)
"""
        + WRONG,
        forges=True,
    ),
    Attack(
        "stack_walk",
        WRONG
        + """
import sys
def _want():
    frame = sys._getframe()
    while frame:
        if frame.f_code.co_name.startswith("test_"):
            return frame.f_locals
        frame = frame.f_back
    return {}
def count(n):
    return 2 * _want()["n"] if "n" in _want() else 7
def double(x):
    return 2 * _want()["x"] if "x" in _want() else 3 * x
""",
        forges=True,
    ),
    Attack(
        "gc_walk",
        WRONG
        + """
import gc
class Found(Exception): pass
for thing in gc.get_objects():
    if type(thing) is dict and str(thing.get("CANARY", "")).startswith("hidden-canary"):
        thing["close"] = lambda *a, **k: None
        thing["number"] = thing["close"]
""",
        forges=True,
    ),
    Attack(
        "every_fd",
        """
import os
for fd in range(1024):
    for data in (b'', b'["result","test_count",{"kind":"passed"}]', bytes((0, 0, 0, 10, *bytes(8))) + b'[0,"ok",2]'):
        try: os.write(fd, data)
        except OSError: pass
"""
        + WRONG,
    ),
    Attack(
        "reads_tests",
        """
import os, sys
source = ""
for root in (os.environ.get("EXERCISE", "/nowhere"), os.getcwd(), *(p for p in sys.path if "packages" not in p)):
    for folder, _, files in os.walk(root):
        if "test_double.py" in files:
            source = open(os.path.join(folder, "test_double.py")).read()
"""
        + WRONG
        + """
if source:
    def count(n): return 2 * n
""",
    ),
    Attack("base_exception", "class Stop(BaseException): pass\nraise Stop('x')\n" + WRONG),
    Attack(
        "hostile_str",
        WRONG
        + "\nclass E(Exception):\n    def __str__(self): raise E()\n    __repr__ = __str__\ndef double(x): raise E()\n",
    ),
    Attack(
        "huge_str",
        WRONG + "\nclass E(Exception):\n    def __str__(self): return 'я' * 10**7\ndef double(x): raise E()\n",
    ),
    Attack(
        "replaced_service",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Service":
        thing._send = lambda number, reply: thing._channel.send([number, "ok", 0], 1e12)
    if type(thing).__name__ == "Channel":
        for data in ([0, "ok", 5], ["result", "test_tensor", {"kind": "passed"}], ["done"]):
            thing.send(data, 1e12)
"""
        + WRONG,
    ),
    Attack(
        "kill_all",
        """
import os, signal
for pid in (-1, 1, os.getppid()):
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
"""
        + WRONG,
    ),
    Attack("cyclic", WRONG + "\ndef count(n):\n    a = []\n    a.append(a)\n    return a\n"),
    Attack("nan", WRONG + "\ndef double(x): return x * float('nan')\ndef count(n): return float('nan')\n"),
    Attack(
        "poisoned_modules",
        """
import json, struct, sys
json.dumps = lambda *a, **k: "[1]"
struct.Struct = None
sys.modules["graders.wire"] = None
"""
        + WRONG,
    ),
)
