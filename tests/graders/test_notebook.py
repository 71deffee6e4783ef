"""Notebooks: their code and nothing else comes out, numbered as the learner counts; or one sentence."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders import notebook
from graders.protocol import Outcome, Verdict
from graders.submission import FILE, LARGEST, LARGEST_NOTEBOOK, InvalidFile, Submission, read

pytestmark = pytest.mark.slow

Grade = Callable[..., Verdict]


def code(source: Any, count: Any = None, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "execution_count": count, "metadata": {}, "outputs": [], **more}


def written(*cells: Any, **more: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


def refusal(source: bytes, filename: str = "hw.ipynb") -> str:
    with pytest.raises(InvalidFile) as caught:
        read(source, filename)
    assert str(caught.value).endswith(".")
    return str(caught.value)


TEXT_CELLS = ({"cell_type": "markdown", "source": "# Решение"}, {"cell_type": "raw", "source": "x"})
V3 = {
    "nbformat": 3,
    "worksheets": [
        {
            "cells": [
                {"cell_type": "heading", "source": "A", "level": 1},
                {"cell_type": "code", "input": ["a = 1\n", "b"]},
            ]
        },
        {"cells": [{"cell_type": "code", "input": "c = 2", "prompt_number": 3, "language": "python"}]},
    ],
}


@pytest.mark.parametrize("filename", ["hw.ipynb", "hw.py", "solution", "ДЗ 8.IPYNB"])
def test_code_cells_come_out_under_the_numbers_that_the_learner_counts(filename: str) -> None:
    cells = (TEXT_CELLS[0], code("a = 1\nb = 2"), code(""), TEXT_CELLS[1], code(["c = 3\n", "d = 4\n"]))
    sent = read(written(*cells), filename)
    assert sent.cells == (("ячейка 1", "a = 1\nb = 2\n"), ("ячейка 3", "c = 3\nd = 4\n"))
    assert sent.text == "# %% ячейка 1\na = 1\nb = 2\n\n# %% ячейка 3\nc = 3\nd = 4\n"
    assert sent.notices == ()


def test_what_the_editor_sends_again_is_the_same_submission() -> None:
    sent = read(written(code("%matplotlib inline\nx = 1"), code("\n\ny = 2\n\n")))
    again = read(sent.text.encode())
    assert (again.cells, again.text) == (sent.cells, sent.text)
    assert again.notices == ()


def test_the_older_formats_are_read() -> None:
    for version in (2, 3):
        sent = read(json.dumps(V3 | {"nbformat": version}).encode())
        assert sent.cells == (("ячейка 1", "a = 1\nb\n"), ("ячейка 2", "c = 2\n"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_and_line_ends_of_other_editors_are_read(encoding: str) -> None:
    text = json.dumps({"cells": [code("a = 'ё'\r\nb = 1\rc = 2")], "nbformat": 4}, ensure_ascii=False, indent=1)
    assert read(text.encode(encoding)).text == "# %% ячейка 1\na = 'ё'\nb = 1\nc = 2\n"


def test_a_python_file_called_a_notebook_is_python() -> None:
    assert read(b"x = {'cells': 1}\n", "hw.ipynb").cells == ((FILE, "x = {'cells': 1}\n"),)
    assert read(b"{'cells': 1}\n", "hw.py").cells == ((FILE, "{'cells': 1}\n"),)


def test_outputs_pictures_and_attachments_are_dropped() -> None:
    picture = base64.b64encode(bytes(1 << 20)).decode()
    outputs = [{"output_type": "display_data", "data": {"image/png": picture}}]
    text = {
        "cell_type": "markdown",
        "source": "![](attachment:a.png)",
        "attachments": {"a.png": {"image/png": picture}},
    }
    source = written(text, code("x = 1", 1, outputs=outputs))
    assert len(source) > 8 * LARGEST
    assert read(source).text == "# %% ячейка 1\nx = 1\n"


REFUSED = {
    "no cells": (written(), "нет ни одной ячейки с кодом"),
    "text only": (written(*TEXT_CELLS), "нет ни одной ячейки с кодом"),
    "cut off": (written(code("x = 1"))[:-20], "Тетрадка повреждена (строка 1 файла)"),
    "one brace": (b"{", "Тетрадка повреждена"),
    "a list": (b"[1, 2]", "Это не тетрадка Jupyter"),
    "no version": (b'{"cells": []}', "Формат тетрадки незнаком"),
    "version 1": (b'{"nbformat": 1, "cells": []}', "Формат тетрадки незнаком"),
    "version of the future": (b'{"nbformat": 5, "cells": []}', "Формат тетрадки незнаком"),
    "version in words": (b'{"nbformat": "4", "cells": []}', "Формат тетрадки незнаком"),
    "version true": (b'{"nbformat": true, "cells": []}', "Формат тетрадки незнаком"),
    "cells missing": (b'{"nbformat": 4}', "нет списка ячеек"),
    "cells an object": (b'{"nbformat": 4, "cells": {}}', "нет списка ячеек"),
    "a cell a string": (written("x = 1"), "нет списка ячеек"),
    "worksheets missing": (b'{"nbformat": 3}', "нет списка ячеек"),
    "worksheet a list": (b'{"nbformat": 3, "worksheets": [[]]}', "нет списка ячеек"),
    "worksheet's cells a string": (b'{"nbformat": 3, "worksheets": [{"cells": "abc"}]}', "нет списка ячеек"),
    "no source": (written(code("a"), {"cell_type": "code"}), "В ячейке 2 нет текста кода"),
    "source a number": (written(code(5)), "В ячейке 1 нет текста кода"),
    "source a list of numbers": (written(code(["a", 5])), "В ячейке 1 нет текста кода"),
    "half a letter": (written(code("x = '\ud800'")), "В ячейке 1 есть знак"),
    "a zero byte": (written(code("x = 1\0")), "В ячейке 1 есть знак"),
    "R": (written(code("x <- 1"), metadata={"kernelspec": {"language": "R"}}), "на языке R"),
    "Julia": (written(code("x"), metadata={"language_info": {"name": "julia"}}), "на языке julia"),
    "bash": (written(code("x = 1"), code("%%bash\nls")), "Ячейка 2, строка 1: «%%bash»: эта ячейка — не Python"),
    "shell": (written(code("x = 1\n!ls")), "Ячейка 1, строка 2: «!ls» — команда тетрадки"),
    "get_ipython": (written(code("get_ipython()")), "Ячейка 1, строка 1: get_ipython()"),
    "await": (written(code("\nawait f()")), "Ячейка 1, строка 2: await стоит вне функции"),
    "too much code": (written(code("#" * LARGEST), code("x")), "Кода в тетрадке больше 256 КиБ"),
    "too much code in bytes": (written(code("#" + "я" * (LARGEST * 2 // 3))), "Кода больше 256 КиБ"),
    "too many cells": (written(*[code("x")] * 1001), "больше 1000 ячеек"),
    "too large": (written(code("x = 1", outputs=["a" * LARGEST_NOTEBOOK])), "Тетрадка больше 4 МиБ"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_in_one_sentence(name: str) -> None:
    source, words = REFUSED[name]
    assert words in refusal(source)


@pytest.mark.parametrize(
    "metadata",
    [{}, None, [], {"kernelspec": None}, {"kernelspec": {"language": 5}}, {"language_info": {"name": "python"}}],
)
def test_a_notebook_that_does_not_say_its_language_is_python(metadata: Any) -> None:
    assert read(written(code("x = 1"), metadata=metadata)).cells == (("ячейка 1", "x = 1\n"),)


BOMBS = {
    "depth": b'{"cells": ' + b"[" * 10**6,
    "depth of objects": b'{"cells": ' + b'{"a":' * 500_000,
    "balanced depth": b'{"cells": ' + b"[" * 10**6 + b"]" * 10**6 + b"}",
    "many small": b'{"cells": [' + b"[]," * 10**6 + b"[]]}",
    "many cells": b'{"nbformat": 4, "cells": [' + b'{"cell_type": "code", "source": ""},' * 100_000 + b"{}]}",
    "same key": b'{"nbformat": 4, "cells": [], ' + b'"a": 1, ' * 400_000 + b'"b": 1}',
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_gets_a_sentence_in_time(name: str) -> None:
    begun = time.monotonic()
    assert refusal(BOMBS[name], "hw.py")
    assert time.monotonic() - begun < 11


def test_a_million_empty_lines_are_nothing() -> None:
    source = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [' + b'"",' * 10**6 + b'""]}]}'
    assert read(source).empty


def test_a_number_of_any_length_is_read_past() -> None:
    source = written(code("x = 1", 7)).replace(b'"execution_count": 7', b'"execution_count": ' + b"7" * 10**5)
    assert read(source).text == "# %% ячейка 1\nx = 1\n"


def test_the_last_of_equal_keys_counts_as_for_jupyter() -> None:
    first, second = written(code("a")), written(code("b"))
    source = first[:-1] + b", " + second[1:]
    assert read(source).cells == (("ячейка 1", "b\n"),)


# Notices


def noticed(*cells: Any) -> str:
    return "\n".join(read(written(*cells)).notices)


def test_what_was_removed_is_told_with_its_cell_and_line() -> None:
    cells = (code("x = 1"), code("import torch\n%matplotlib inline\n!pip install peft"), code("%matplotlib inline"))
    told = noticed(*cells)
    assert "Строку «%matplotlib inline» мы убрали: вне тетрадки она не работает (ячейка 2, строка 2)." in told
    assert "Строку «!pip install peft» мы убрали: нужные библиотеки при проверке уже есть (ячейка 2, строка 3)." in told
    assert told.count("matplotlib") == 1


def test_many_removed_lines_are_told_briefly() -> None:
    sent = read(written(code("\n".join(f"%magic{number}" for number in range(40)))))
    assert len(sent.notices) == notebook.MOST_NOTICES + 1
    assert "ещё 34" in sent.notices[-1]


def test_cells_run_out_of_order_are_named() -> None:
    told = noticed(code("a", 5), TEXT_CELLS[0], code("b"), code("c", 2), code("d", 9))
    assert "Ячейку 3 вы выполняли раньше ячейки 1" in told


@pytest.mark.parametrize("counts", [(1, 2, 3), (4, 9, None, 12), (None, None), (True, False), ("2", "1"), (0, 0)])
def test_cells_run_in_order_are_not_mentioned(counts: tuple[Any, ...]) -> None:
    assert noticed(*(code("x", count) for count in counts)) == ""


def test_a_letter_that_deceives_is_named_with_its_cell() -> None:
    told = noticed(code("x = 1"), code("\nрower = 1"))
    assert told.startswith("В ячейке 2, в строке 2 в имени «рower» буква «р» русская")


# Anything whatsoever

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
sources = st.text(max_size=60) | st.sampled_from(["%time x", "!pip install", "x?", "await y", "'''", "(", "%%"]) | plain
odd_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown"]) | plain, "source": sources}, optional={"execution_count": plain}
)
notebooks = st.fixed_dictionaries(
    {"cells": st.lists(odd_cells | plain, max_size=4) | plain, "nbformat": st.sampled_from([4, 4, 4, 3]) | plain},
    optional={"metadata": plain, "worksheets": plain},
)


@settings(max_examples=400)
@given(notebooks)
def test_any_json_is_read_or_refused(data: dict[str, Any]) -> None:
    """The child's function itself, in this process: hundreds of examples would be hundreds of processes."""
    found = notebook.read({"text": json.dumps(data), "largest": LARGEST})
    if "refused" in found:
        assert found["refused"].endswith(".")
    else:
        json.dumps(found)
        assert all(source.strip() for _, source in found["cells"])


@settings(max_examples=25)
@given(notebooks, st.integers(0, 400), st.binary(max_size=4))
def test_no_damaged_notebook_makes_it_raise_anything_else(data: dict[str, Any], at: int, put: bytes) -> None:
    source = json.dumps(data).encode()
    with contextlib.suppress(InvalidFile):
        assert isinstance(read(source[:at] + put + source[at:], "hw.ipynb"), Submission)


# Graded


def test_a_notebook_is_graded_like_a_file_and_its_notices_arrive(grade: Grade, solution: str) -> None:
    given_up = "%matplotlib inline\nимя = 'рower'\nрower = 1"
    verdict = grade(written(code(given_up, 2), code(solution, 1)), "hw.ipynb")
    assert verdict.outcome is Outcome.PASSED, verdict
    told = "\n".join(verdict.notices)
    for words in ("%matplotlib inline", "Ячейку 2 вы выполняли раньше", "буква «р» русская"):
        assert words in told
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_a_syntax_error_names_its_cell_and_line(grade: Grade, solution: str) -> None:
    verdict = grade(written(code(solution), code("x = 1\nx = = 2")), "hw.ipynb")
    assert "Синтаксическая ошибка в строке 2 (ячейка 2)" in verdict.message
    assert "ячейка 2, строка 2" in verdict.traceback
    assert "x = = 2" in verdict.traceback


def test_an_error_names_its_cell_and_shows_its_line(grade: Grade) -> None:
    cells = (code("def helper(x):\n    return [][5]"), code("\ndef double(x):\n    return helper(x)"))
    verdict = grade(written(*cells), "hw.ipynb")
    failed = next(check for check in verdict.checks if check.traceback)
    assert "ячейка 2, строка 3" in failed.traceback
    assert "ячейка 1, строка 2" in failed.traceback
    assert "return [][5]" in failed.traceback
    assert "в строке 2 (ячейка 1)" in failed.message


def test_a_notebook_that_is_not_in_order_charges_nothing(grade: Grade) -> None:
    verdict = grade(b'{"cells": [', "hw.ipynb")
    assert verdict.outcome is Outcome.INVALID_FILE
    assert not verdict.outcome.counts
    assert "повреждена" in verdict.message


def test_a_notebook_that_we_cannot_read_is_our_fault(grade: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    verdict = grade(written(code("x = 1")), "hw.ipynb")
    assert verdict.outcome is Outcome.INFRA_ERROR
    assert "nowhere" not in verdict.message
