"""What a notebook's cell has and Python has not: gone with its reason, lines keep their numbers; or refused."""

from __future__ import annotations

import ast
import time

import pytest

from graders.lexing import tokens
from graders.magics import Refused, clean
from graders.submission import LARGEST

REMOVED = {
    "%matplotlib inline": "# убрано: %matplotlib inline",
    "% matplotlib inline": "# убрано: % matplotlib inline",
    "%load_ext autoreload\n%autoreload 2": "# убрано: %load_ext autoreload\n# убрано: %autoreload 2",
    "!pip install -q peft": "# убрано: !pip install -q peft",
    "!{sys.executable} -m pip install peft": "# убрано: !{sys.executable} -m pip install peft",
    "%pip install peft": "# убрано: %pip install peft",
    "pip install peft": "# убрано: pip install peft",
    "!pip install \\\n  peft\nx = 1": "# убрано: !pip install \\\n# убрано: peft\nx = 1",
    "if colab:\n    !pip install peft\nx = 1": "if colab:\n    pass  # убрано: !pip install peft\nx = 1",
    "%%time\nx = 1": "# убрано: %%time\nx = 1",
    "%%timeit -n 3\nx = 1": "# убрано: %%timeit -n 3\nx = 1",
    "# зачем\n%%capture out\nx = 1": "# зачем\n# убрано: %%capture out\nx = 1",
    "%time x = f(1)": "x = f(1)",
    "%timeit f(1)": "# убрано: %timeit f(1)",
    "torch.nn?": "# убрано: torch.nn?",
    "f??": "# убрано: f??",
    "?f": "# убрано: ?f",
    "%%html\n<b>жирно</b>": "",
    "%%markdown\n# привет": "",
}
KEPT = [
    "x = (7\n     % 3)",
    "x = 7 \\\n  % 3",
    "text = '''\n!ls\n%%time\nx?\n'''",
    "x = [\n  'a'\n  % b,\n]",
    "assert x != y",
    "# !ls\nx = 1  # %%bash",
    "x = f'{a!r}'",
    "def f():\n    return await_ + 1",
    "async def f():\n    await g()\n    async with h():\n        pass",
    "async def f(): await g()",
    "s = 'get_ipython()'  # get_ipython()",
    "pip = 1\ninstall = pip",
]
REFUSED = [
    ("x = 1\n!ls -la", 2, "команда тетрадки"),
    ("!rm -rf /", 1, "команда тетрадки"),
    ("!pipinstall x", 1, "команда тетрадки"),
    ("files = !ls", 1, "команда тетрадки"),
    ("t = %timeit -o f()", 1, "команда тетрадки"),
    ("for x in y:\n    !echo {x}", 2, "команда тетрадки"),
    ("%%bash\nls", 1, "не Python"),
    ("%%!\nls", 1, "не Python"),
    ("%%script perl\n1", 1, "не Python"),
    ("x = 1\n%%html\n<b>", 2, "не Python"),
    ("%%writefile solution.py\nx = 1", 1, "пишет файл: уберите эту строку"),
    ("%run other.py", 1, "берёт код со стороны"),
    ("%load other.py", 1, "берёт код со стороны"),
    ("x = 1\nget_ipython().system('ls')", 2, "get_ipython() есть только в самой тетрадке"),
    ("def f():\n    await g()\nawait f()", 3, "await стоит вне функции"),
    ("x = await f()", 1, "await стоит вне функции"),
    ("async with a as b:\n    pass", 1, "async стоит вне функции"),
]


@pytest.mark.parametrize("source", REMOVED)
def test_what_python_has_not_is_gone_with_its_reason_and_lines_keep_their_numbers(source: str) -> None:
    cell = clean(source)
    assert cell.source.rstrip("\n") == REMOVED[source]
    ast.parse(cell.source)
    line, what, why = cell.removed[0]
    assert what.strip("«»").split()[0] in source.splitlines()[line - 1]
    assert why


@pytest.mark.parametrize("source", KEPT)
def test_python_stays_as_it_is(source: str) -> None:
    cell = clean(source)
    assert (cell.source, cell.removed) == (source, [])


@pytest.mark.parametrize(("source", "line", "words"), REFUSED)
def test_what_cannot_be_left_out_is_refused_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(Refused, match=words.replace("(", r"\(").replace(")", r"\)")) as caught:
        clean(source)
    assert caught.value.line == line


def test_a_line_that_is_shown_is_short_and_printable() -> None:
    what = clean(f"%cd \x1b[31m\u202e{'я' * 500}").removed[0][1]
    assert len(what) < 50
    assert what.isprintable()


PIECES = [
    "%a\n",
    "?\n",
    "(\n",
    "!pip install \\\n",
    "x\n",
    " ",
    "x[., ",
    "x\\\n",
    "a?",
    '"""\n',
    "\n",
    "%time ",
    "'''\\",
    "=",
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_no_cell_takes_long(piece: str) -> None:
    begun = time.process_time()
    clean(piece * (LARGEST // len(piece)))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("piece", [*PIECES, "'", '"', '"""a\n', "rb'", "й", "\\", "\x0c", "1.e5", "f'{'"])
def test_tokens_cover_every_text_once(piece: str) -> None:
    text = piece * 1000
    found = list(tokens(text))
    ends = [0, *(token.start + len(token.text) for token in found)]
    assert all(text[before : token.start].strip(" \t\f") == "" for before, token in zip(ends, found, strict=False))
    assert text[ends[-1] :].strip(" \t\f") == ""
