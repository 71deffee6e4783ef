"""Items 89-106: files that are not what they should be, and programs that do what a script may."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

from graders.protocol import Outcome
from tests.attacks.case import ENDED, STARVED, STOPPED, WRONG, Case, attack, file

STARTER = "@starter"
"""Stands for the exercise's own starter file."""


def _zip(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("../../etc/passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


def notebook(*cells: str, **more: object) -> str:
    """A notebook of code cells."""
    body = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell} for cell in cells
    ]
    return json.dumps({"cells": body, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more})


CASES: tuple[Case, ...] = (
    file(89, "empty", "", Outcome.NOT_ATTEMPTED, says="пуст"),
    file(89, "spaces", " \n\t\n", Outcome.NOT_ATTEMPTED),
    file(89, "untouched_starter", STARTER, Outcome.NOT_ATTEMPTED, says="заготовка"),
    file(90, "syntax_error", "def f(:\n    pass\n", Outcome.FAILED, says="в строке 1"),
    file(90, "tabs_and_spaces", "if True:\n        x = 1\n\ty = 2\n", Outcome.FAILED, says="в строке 3"),
    file(90, "python_2", "print 'привет'\n", Outcome.FAILED, says="в строке 1"),
    attack(
        91, "renamed", "rank_of_energy = rank_for_energy\ndel rank_for_energy", Outcome.FAILED, says="rank_of_energy"
    ),
    attack(91, "wrong_arity", "def rank_for_energy(matrix): return 1", Outcome.FAILED, says="Вызов не подошёл"),
    attack(91, "coroutine", "async def rank_for_energy(matrix, share): return 1", ENDED),
    attack(91, "generator", "def rank_for_energy(matrix, share):\n    yield 1", ENDED),
    file(92, "utf_8_with_mark", WRONG.encode("utf-8-sig"), Outcome.FAILED),
    file(92, "utf_16", WRONG.encode("utf-16"), Outcome.FAILED),
    file(92, "cp1251", f"# решение задачи\n{WRONG}".encode("cp1251"), Outcome.FAILED),
    file(92, "cookie_that_lies", f"# -*- coding: rot13 -*-\n{WRONG}", Outcome.FAILED),
    file(92, "nul_bytes", WRONG + "\0", Outcome.INVALID_FILE, says="нулевые байты"),
    file(92, "random_bytes", bytes(range(128, 256)), Outcome.INVALID_FILE, says="кодировка"),
    file(94, "fifty_megabytes", b"x = 1\n" * (50 << 20 >> 3), Outcome.INVALID_FILE, says="КиБ"),
    file(95, "parentheses", "x = " + "(" * 90_000, Outcome.FAILED),
    attack(95, "constant_folding", "x = ((1 << 4096) ** 4096) ** 4096", ENDED | STOPPED | STARVED),
    file(95, "many_brackets", f"{WRONG}\nx = {'[' * 30_000}{']' * 30_000}", Outcome.FAILED),
    file(96, "not_json", "{nonsense", Outcome.INVALID_FILE, filename="hw.ipynb"),
    file(
        96,
        "no_cells",
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        Outcome.INVALID_FILE,
        filename="hw.ipynb",
    ),
    file(101, "zip_bomb", _zip({"solution.py": bytes(1 << 24)}), Outcome.INVALID_FILE, says="архив", filename="hw.zip"),
    file(101, "zip_traversal", _zip({"../../solution.py": b"x"}), Outcome.INVALID_FILE, says="архив"),
    file(101, "tar_with_links", _tar(), Outcome.INVALID_FILE, says="архив"),
    file(103, "strange_name", WRONG, Outcome.FAILED, filename="../../«реш'ение\" 🙂" + "x" * 300 + ".py\n"),
    attack(
        104,
        "markup",
        'raise ValueError("<script>alert(1)</script> **жирно** $x$ \\x1b[31m \\u202e :red[x]")',
        Outcome.FAILED,
        says="<script>",
    ),
    attack(100, "waits_for_input", "input('Имя: ')", Outcome.FAILED, says="input()"),
    attack(100, "opens_a_window", "import tkinter\ntkinter.Tk()", Outcome.FAILED),
    attack(
        105,
        "trains_at_import",
        "model = torch.nn.Linear(64, 64)\nwhile True: model(torch.ones(64, 64))",
        STOPPED,
        says="бесконечного цикла",
    ),
    attack(
        106, "thread_that_stays", "import threading, time\nthreading.Thread(target=time.sleep, args=(999,)).start()"
    ),
)
