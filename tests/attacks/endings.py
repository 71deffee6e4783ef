"""Items 26-35: early exits, signals, exceptions that bite."""

from __future__ import annotations

from graders.protocol import Outcome
from tests.attacks.case import ENDED, STOPPED, Case, attack

CASES: tuple[Case, ...] = (
    attack(26, "exit_at_import", "import os; os._exit(0)", Outcome.CRASHED, says="os._exit", forges=True),
    attack(
        27,
        "exit_in_a_call",
        "import os\ndef rank_for_energy(matrix, share): os._exit(0)",
        Outcome.CRASHED,
        forges=True,
    ),
    attack(28, "sys_exit", "import sys; sys.exit(0)", Outcome.FAILED, says="exit()"),
    attack(29, "keyboard_interrupt", "raise KeyboardInterrupt", Outcome.FAILED, says="KeyboardInterrupt"),
    attack(29, "exception_of_its_own", "class Own(BaseException): pass\nraise Own('мимо')", Outcome.FAILED, says="Own"),
    attack(29, "generator_exit", "raise GeneratorExit", Outcome.FAILED),
    attack(30, "kill_the_parent", "import os; os.kill(os.getppid(), 9)", ENDED),
    attack(31, "kill_all", "import os; os.kill(-1, 9)", ENDED),
    attack(32, "abort", "import os; os.abort()", Outcome.CRASHED, says="упала с сигналом"),
    attack(32, "null_pointer", "import ctypes; ctypes.string_at(0)", Outcome.CRASHED, says="SIGSEGV"),
    attack(33, "stop_itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass", STOPPED),
    attack(
        34,
        "at_the_exit",
        """
        import atexit, faulthandler, os, pathlib, weakref
        def forge(*_):
            for path in pathlib.Path(".").rglob("*.xml"):
                path.write_text('<testsuites><testsuite failures="0" errors="0" tests="9"/></testsuites>')
            os._exit(0)
        class Last:
            def __del__(self): forge()
        last = Last()
        keep = Last()
        weakref.finalize(keep, forge)
        atexit.register(forge)
        """,
        ENDED,
        forges=True,
    ),
    attack(
        35,
        "exception_whose_text_raises",
        "class Own(Exception):\n    def __str__(self): raise Own\n    __repr__ = __str__\nraise Own",
        Outcome.FAILED,
        says="Own",
    ),
    attack(
        35,
        "exception_whose_text_is_endless",
        "class Own(Exception):\n    def __str__(self):\n        while True: pass\n    __repr__ = __str__\nraise Own",
        STOPPED | ENDED,
    ),
    attack(
        35,
        "exception_whose_text_is_huge",
        "class Own(Exception):\n    def __str__(self): return 'x' * 10 ** 9\n    __repr__ = __str__\nraise Own",
        ENDED | {Outcome.MEMORY},
    ),
)
