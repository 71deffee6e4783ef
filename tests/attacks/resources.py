"""Items 1-25: time, memory, processes, disk, output."""

from __future__ import annotations

from graders.protocol import Outcome
from tests.attacks.case import ENDED, STARVED, STOPPED, Case, attack

CASES: tuple[Case, ...] = (
    attack(1, "endless_loop", "while True: pass", STOPPED, says="бесконечного цикла"),
    attack(1, "endless_loop_in_a_call", "def rank_for_energy(matrix, share):\n    while True: pass", STOPPED | ENDED),
    attack(2, "sleep", "import time; time.sleep(1e9)", STOPPED),
    attack(
        3,
        "signals_ignored",
        """
        import signal
        for name in ("SIGALRM", "SIGTERM", "SIGXCPU", "SIGINT", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        while True: pass
        """,
        STOPPED,
    ),
    attack(4, "regular_expression", "import re; re.match(r'(a+)+$', 'a' * 64 + 'b')", STOPPED),
    attack(4, "huge_power", "10 ** 10 ** 9", STOPPED | STARVED),
    attack(4, "sum_in_c", "sum(range(10 ** 12))", STOPPED),
    attack(
        5,
        "fork_bomb",
        """
        import os
        while True:
            try: os.fork()
            except OSError: pass
        """,
        STOPPED | {Outcome.MEMORY, Outcome.CRASHED},
    ),
    attack(
        6,
        "thread_bomb",
        """
        import threading, time
        while True: threading.Thread(target=time.sleep, args=(999,)).start()
        """,
        ENDED | STARVED,
    ),
    attack(
        7,
        "daemon",
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(0.1); os.write(1, b"alive")
            os._exit(0)
        """,
    ),
    attack(8, "huge_list", "[0] * 10 ** 10", STARVED),
    attack(8, "huge_tensor", "torch.empty(10 ** 12)", Outcome.MEMORY, says="не хватило памяти"),
    attack(8, "touched_list", "a = []\nwhile True: a.append(bytearray(1 << 20))", STARVED),
    attack(
        9,
        "leak_in_children",
        """
        import os, time
        for _ in range(40):
            if os.fork() == 0:
                held = bytearray(b"x") * (64 << 20)
                time.sleep(999)
        time.sleep(999)
        """,
        STARVED,
    ),
    attack(
        10,
        "shared_mapping",
        """
        import mmap
        held = mmap.mmap(-1, 4 << 30)
        for i in range(0, 4 << 30, 4096): held[i] = 1
        """,
        STARVED,
    ),
    attack(
        10,
        "memfd",
        """
        import os
        fd = os.memfd_create("x")
        while True: os.write(fd, b"x" * (1 << 20))
        """,
        STARVED,
    ),
    attack(10, "shm", "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(b'x' * (1 << 20))", STARVED),
    attack(11, "one_large_file", "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * (1 << 20))", STARVED),
    attack(
        12,
        "a_million_files",
        "for n in range(10 ** 6): open(f'/tmp/{n}', 'w').close()",
        ENDED,
    ),
    attack(13, "sparse_terabyte", "f = open('/tmp/x', 'wb'); f.truncate(1 << 40)", ENDED),
    attack(14, "much_output", "while True: print('x' * 1000)", ENDED, says="печатает слишком много"),
    attack(
        15, "one_endless_line", "import sys\nwhile True: sys.stdout.write('x' * 100000)", ENDED, says="слишком много"
    ),
    attack(
        16,
        "much_logging",
        "import logging, warnings\nwarnings.simplefilter('always')\n"
        "while True:\n    logging.error('x' * 1000); warnings.warn('y' * 1000)",
        ENDED | STOPPED,
    ),
    attack(17, "output_closed", "import os, sys\nos.close(1); os.close(2)\nsys.stdout.close()\nprint('x')", ENDED),
    attack(18, "deep_recursion", "def f(): f()\nf()", Outcome.FAILED, says="RecursionError"),
    attack(
        19,
        "stack_overflow",
        "import sys\nsys.setrecursionlimit(10 ** 9)\n"
        "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\n"
        "def f(n): return [f(n + 1) for _ in 'x']\nf(0)",
        STARVED | STOPPED,
    ),
    attack(19, "nested_literal", "eval('(' * 10 ** 5 + ')' * 10 ** 5)", STARVED),
    attack(
        20, "many_descriptors", "held = [open('/dev/null') for _ in range(10 ** 5)]", ENDED, says="Too many open files"
    ),
    attack(21, "holds_the_interpreter", "import ctypes; ctypes.PyDLL(None).sleep(10 ** 6)", STOPPED),
    attack(
        22,
        "chain_of_forks",
        """
        import os, time
        while True:
            if os.fork(): os._exit(0)
            end = time.time() + 0.2
            while time.time() < end: pass
        """,
        ENDED | STOPPED,
    ),
    attack(23, "huge_model", "torch.nn.Linear(10 ** 5, 10 ** 5)", Outcome.MEMORY),
    attack(
        24,
        "thousand_threads",
        "torch.set_num_threads(1000)\ntorch.ones(2000, 2000) @ torch.ones(2000, 2000)",
        ENDED | STARVED,
    ),
    attack(
        25,
        "core_dump",
        "import ctypes, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nctypes.string_at(0)",
        Outcome.CRASHED,
        says="SIGSEGV",
    ),
)
