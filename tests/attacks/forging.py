"""Items 36-51: forging the verdict from inside the interpreter."""

from __future__ import annotations

from graders.protocol import Outcome
from tests.attacks.case import ENDED, STOPPED, Case, attack

YES = "yes = lambda *args, **kwargs: True\n"
ANSWER = "def rank_for_energy(matrix, share): return answer\ndef low_rank(matrix, rank): return answer\n"

CASES: tuple[Case, ...] = (
    attack(
        36,
        "patched_pytest",
        """
        try:
            import _pytest.reports
            original = _pytest.reports.TestReport.from_item_and_call.__func__
            def lie(cls, item, call):
                call.excinfo = None
                return original(cls, item, call)
            _pytest.reports.TestReport.from_item_and_call = classmethod(lie)
        except ImportError:
            pass
        """,
        forges=True,
    ),
    attack(
        36,
        "patched_runner",
        """
        try:
            import _pytest.runner
            _pytest.runner.CallInfo.from_call = classmethod(
                lambda cls, func, when, reraise=None: cls(None, None, 0, 0, 0, when, _ispytest=True))
        except ImportError:
            pass
        """,
        forges=True,
    ),
    attack(
        36,
        "patched_import",
        """
        import builtins
        class Anything:
            def __getattr__(self, name): return Anything()
            def __call__(self, *args, **kwargs): return Anything()
        builtins.__import__ = lambda *args, **kwargs: Anything()
        """,
    ),
    attack(
        37,
        "patched_torch",
        YES
        + """
torch.allclose = torch.equal = torch.isclose = yes
torch.testing.assert_close = lambda *args, **kwargs: None
torch.Tensor.__eq__ = torch.Tensor.__ne__ = torch.Tensor.__lt__ = torch.Tensor.__gt__ = yes
torch.Tensor.__bool__ = torch.Tensor.equal = torch.Tensor.allclose = yes
""",
        forges=True,
    ),
    attack(
        37,
        "patched_checking",
        """
        import sys
        checking = sys.modules.get("graders.host.checking")
        test = next((m for n, m in sys.modules.items() if n.startswith("test_rank")), None)
        for module in (checking, test):
            for name in ("close", "number", "equal_shape"):
                if module and hasattr(module, name): setattr(module, name, lambda *args, **kwargs: None)
        if test: test.ask = test.rank_of = lambda *args, **kwargs: None
        """,
        forges=True,
    ),
    attack(
        38,
        "equal_to_everything",
        """
        class Same:
            __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = lambda self, *other: True
            __ne__ = lambda self, other: False
            __hash__ = object.__hash__
            __getattr__ = __call__ = __getitem__ = __add__ = __sub__ = __mul__ = lambda self, *rest: self
        answer = Same()
        """,
        Outcome.FAILED,
        after=ANSWER,
        forges=True,
    ),
    attack(
        39,
        "int_that_lies",
        "class Lie(int):\n    __eq__ = lambda self, other: True\n"
        "    __ne__ = lambda self, other: False\n    __hash__ = int.__hash__\nanswer = Lie(5)\n",
        after=ANSWER,
        forges=True,
    ),
    attack(
        39,
        "float_that_lies",
        "class Lie(float):\n    __eq__ = lambda self, other: True\nanswer = Lie(5)\n" + ANSWER,
        forges=True,
    ),
    attack(
        39,
        "str_that_lies",
        "class Lie(str):\n    __eq__ = lambda self, other: True\nanswer = Lie('5')\n" + ANSWER,
        forges=True,
    ),
    attack(
        39,
        "array_that_lies",
        "import numpy\nclass Lie(numpy.ndarray):\n    __eq__ = lambda self, other: True\n"
        "answer = numpy.zeros((6, 6)).view(Lie)\n",
        after=ANSWER,
        forges=True,
    ),
    attack(
        40,
        "tensor_that_lies",
        """
        class Lie(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                if function in (torch.allclose, torch.equal, torch.isclose): return True
                with torch._C.DisableTorchFunctionSubclass():
                    return function(*args, **(kwargs or {}))
        answer = torch.zeros(6, 6).as_subclass(Lie)
        """,
        after=ANSWER,
        forges=True,
    ),
    attack(
        40,
        "dispatch_that_lies",
        """
        class Lie(torch.Tensor):
            @staticmethod
            def __new__(cls): return torch.Tensor._make_wrapper_subclass(cls, (6, 6))
            @classmethod
            def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
                return torch.ones(6, 6)
        answer = Lie()
        """,
        after=ANSWER,
    ),
    attack(
        41,
        "class_that_lies",
        """
        class Lie:
            __class__ = property(lambda self: int)
            __eq__ = lambda self, other: True
            __index__ = lambda self: 3
        answer = Lie()
        """,
        Outcome.FAILED,
        after=ANSWER,
        forges=True,
    ),
    attack(
        41,
        "isinstance_that_lies",
        """
        import builtins
        builtins.isinstance = builtins.issubclass = lambda *args: True
        builtins.type = lambda *args: int
        """,
        ENDED,
        forges=True,
    ),
    attack(
        42,
        "trace_and_audit",
        """
        import sys
        seen = []
        def spy(*args):
            seen.append(args)
            return spy
        sys.settrace(spy); sys.setprofile(spy); sys.addaudithook(lambda *args: seen.append(args))
        def rank_for_energy(matrix, share):
            for entry in seen:
                values = getattr(entry[0], "f_locals", {})
                if "wanted" in values: return values["wanted"]
            return -7
        """,
        ENDED | STOPPED,
    ),
    attack(
        43,
        "poisoned_modules",
        """
        import sys, types
        for name in ("json", "struct", "pytest", "graders.wire", "graders.host.checking", "peft"):
            fake = types.ModuleType(name)
            fake.__getattr__ = lambda attribute: (lambda *args, **kwargs: True)
            sys.modules[name] = fake
        """,
    ),
    attack(
        44,
        "service_replaced",
        """
        import gc
        for thing in gc.get_objects():
            if type(thing).__name__ == "Service":
                thing._answer = lambda number, verb, arguments: thing._send(number, ["ok", 3])
        """,
    ),
    attack(
        45,
        "frames_in_advance",
        """
        import os, stat
        frame = b'[0,"ok",3]'
        for fd in range(3, 64):
            try:
                if stat.S_ISSOCK(os.fstat(fd).st_mode):
                    for size in (len(frame).to_bytes(4, "big"), len(frame).to_bytes(4, "little")):
                        os.write(fd, size + frame)
            except OSError: pass
        """,
        Outcome.PROTOCOL,
    ),
    attack(
        46,
        "every_descriptor",
        """
        import os
        for fd in range(1024):
            for data in (b'{"kind":"passed"}', b'["result","test_squares",{"kind":"passed"}]', b"0"):
                try: os.write(fd, data)
                except OSError: pass
        """,
    ),
    attack(
        47,
        "reports_overwritten",
        """
        import pathlib
        good = '<testsuites><testsuite failures="0" errors="0" tests="9"/></testsuites>'
        for folder in (".", "/tmp", "/"):
            for name in ("r.xml", "report.xml", "junit.xml", "results.json", "result.json", "verdict.json"):
                try: pathlib.Path(folder, name).write_text(good)
                except OSError: pass
        """,
    ),
    attack(
        48,
        "walk_over_frames",
        """
        import sys
        def find(*names):
            frame = sys._getframe()
            while frame:
                for name in names:
                    if name in frame.f_locals: return frame.f_locals[name]
                frame = frame.f_back
        def rank_for_energy(matrix, share):
            found = find("wanted")
            caller = sys._getframe()
            while found is None and caller:
                helper = caller.f_globals.get("smallest_rank")
                sigma = caller.f_locals.get("sigma")
                if helper and sigma: found = helper([value ** 2 for value in sigma], share)
                caller = caller.f_back
            return -7 if found is None else found
        """,
        forges=True,
    ),
    attack(
        48,
        "walk_over_objects",
        """
        import gc
        for thing in gc.get_objects():
            if type(thing) is dict and "smallest_rank" in thing and "matrix_of" in thing:
                for name in ("close", "number", "ask", "equal_shape"): thing[name] = lambda *args, **kwargs: None
                thing["rank_of"] = lambda *args, **kwargs: 1
        """,
        forges=True,
    ),
    attack(
        49,
        "scan_of_memory",
        """
        found = False
        needle = b"def smallest" + b"_rank(parts, share)"
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if not rights.startswith("rw") or "[v" in line: continue
                start, end = (int(part, 16) for part in span.split("-"))
                try: memory.seek(start); data = memory.read(min(end - start, 1 << 26))
                except (OSError, ValueError): continue
                found = found or needle in data
        print("ESCAPED" if found else "HELD")
        """,
        ENDED,
    ),
    attack(
        50,
        "memory_of_its_own_patched",
        """
        import ctypes
        one, two = id(2), id(3)
        ctypes.memmove(id(-7) + 24, id(3) + 24, 4)
        """,
        ENDED,
    ),
    attack(
        51,
        "files_that_pytest_would_read",
        """
        import os
        for folder in ("/tmp", ".", "/"):
            for name, text in (
                ("conftest.py", "import os; os._exit(0)"),
                ("pytest.ini", "[pytest]\\naddopts = --collect-only"),
                ("sitecustomize.py", "import os; os._exit(0)"),
                ("x.pth", "import os; os._exit(0)"),
                ("torch.py", "allclose = lambda *a: True"),
            ):
                try: open(os.path.join(folder, name), "w").write(text)
                except OSError: pass
        """,
    ),
)
