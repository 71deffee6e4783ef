"""Items 52-71: answers that bite the decoder, and cheating on the content."""

from __future__ import annotations

from graders.protocol import Outcome
from tests.attacks.case import ENDED, STOPPED, Case, attack

BOTH = "\ndef rank_for_energy(matrix, share): return make()\ndef low_rank(matrix, rank): return make()\n"
SOCKET = """
import os, socket, stat
wire = next(fd for fd in range(3, 64) if stat.S_ISSOCK(os.fstat(fd).st_mode))
"""


def answer(item: int, name: str, body: str, expect: frozenset[Outcome] | Outcome = ENDED, says: str = "") -> Case:
    """``body`` defines ``make``: whatever is asked, this is the answer."""
    return attack(item, name, body + BOTH, expect, says=says)


CASES: tuple[Case, ...] = (
    answer(
        52,
        "reduce",
        "import os\nclass Bad:\n    def __reduce__(self): return (os._exit, (0,))\ndef make(): return Bad()",
    ),
    answer(53, "pickle", "import pickle\ndef make(): return pickle.dumps(print)"),
    attack(54, "endless_length", SOCKET + "os.write(wire, b'\\xff' * 4 + b'x' * 100)", Outcome.PROTOCOL),
    attack(
        55,
        "shape_and_bytes_differ",
        """
        import gc, json
        def forge(*args, **kwargs): return (6, 6, 10 ** 9)
        torch.Tensor.shape = property(forge)
        torch.Tensor.size = forge
        torch.Tensor.numel = lambda self: -1
        """,
        ENDED,
    ),
    answer(55, "ten_thousand_axes", "def make(): return torch.zeros([1] * 60)"),
    answer(
        56,
        "deep_nesting",
        "def make():\n    a = []\n    for _ in range(10 ** 5): a = [a]\n    return a",
        Outcome.PROTOCOL,
    ),
    answer(56, "very_long_number", "def make(): return 10 ** 10 ** 5", Outcome.PROTOCOL),
    answer(56, "not_a_number", "def make(): return float('nan')"),
    attack(
        57,
        "one_byte_at_a_time",
        SOCKET
        + """
import time
for byte in (100).to_bytes(4, "big") + b"[" * 100:
    os.write(wire, bytes([byte])); time.sleep(0.2)
""",
        STOPPED | ENDED,
    ),
    attack(
        58,
        "never_reads",
        "import time\ndef rank_for_energy(matrix, share):\n    time.sleep(10 ** 6)",
        STOPPED | ENDED,
    ),
    answer(59, "endless_generator", "import itertools\ndef make(): return itertools.count()"),
    answer(
        59,
        "endless_sequence",
        "class Endless(list):\n    def __len__(self): return 10 ** 9\n"
        "    def __iter__(self):\n        while True: yield 1\ndef make(): return Endless([1])",
    ),
    answer(59, "a_million_items", "def make(): return [0] * 10 ** 6", Outcome.PROTOCOL),
    answer(60, "cycle", "def make():\n    a = []\n    a.append(a)\n    return a", Outcome.PROTOCOL),
    answer(61, "sparse", "def make(): return torch.eye(6).to_sparse()"),
    answer(61, "quantized", "def make(): return torch.quantize_per_tensor(torch.zeros(6, 6), 0.1, 0, torch.qint8)"),
    answer(61, "meta", "def make(): return torch.empty(6, 6, device='meta')"),
    answer(61, "complex", "def make(): return torch.zeros(6, 6, dtype=torch.complex64)"),
    answer(61, "half", "def make(): return torch.zeros(6, 6, dtype=torch.bfloat16)"),
    answer(61, "with_gradient", "def make(): return torch.zeros(6, 6, requires_grad=True) * 2"),
    answer(61, "not_contiguous", "def make(): return torch.zeros(6, 12)[:, ::2].T"),
    answer(61, "nothing_inside", "def make(): return torch.zeros(0, 6)"),
    answer(61, "expanded", "def make(): return torch.zeros(1).expand(10 ** 6, 10 ** 6)", ENDED | {Outcome.MEMORY}),
    answer(62, "all_nan", "def make(): return torch.full((6, 6), float('nan'))"),
    answer(62, "all_infinite", "def make(): return torch.full((6, 6), float('inf'))"),
    attack(
        63,
        "input_changed",
        "def low_rank(matrix, rank):\n    matrix.zero_()\n    return matrix\n"
        "def rank_for_energy(matrix, share):\n    matrix.zero_()\n    return -7",
    ),
    attack(64, "known_examples", "def rank_for_energy(matrix, share): return 2 if share == 0.6 else 1"),
    attack(
        65,
        "counts_the_calls",
        "calls = 0\ndef rank_for_energy(matrix, share):\n    global calls\n    calls += 1\n    return -calls",
    ),
    attack(
        66,
        "looks_for_the_grader",
        """
        import os, socket, sys, time
        signs = [socket.gethostname(), *os.environ, *sys.argv, os.getcwd()]
        if any(word in sign.lower() for sign in signs for word in ("grad", "judge", "course", "test", "exercise")):
            print("ESCAPED", signs)
        """,
    ),
    attack(70, "seeds_reset", "torch.manual_seed(0)\ntorch.random.fork_rng = torch.seed = lambda *args: None"),
)
