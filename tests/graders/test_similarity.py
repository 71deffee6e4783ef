"""A copy is seen whatever was renamed, moved or commented; independent answers are not taken for copies."""

from __future__ import annotations

import ast
import time
from itertools import combinations
from pathlib import Path

import pytest

from graders import similarity
from graders.similarity import ALIKE, CannotCompare, Comparison, compare
from tests.graders.deadly_report import KILLER

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = ROOT / "exercises" / "lora-params"
STARTER = (EXERCISE / "starter.py").read_text()
SOLUTION = (EXERCISE / "solution.py").read_text()
SIMILAR = Path(__file__).parent / "similar"
INDEPENDENT = {path.stem: path.read_text() for path in sorted(SIMILAR.glob("*.py"))}
"""Right answers of four people who did not see each other's."""

DISGUISED = '''
import math  # не нужен, но путает


def sizes_of(cfg):
    # Размеры слоёв
    total, middle = cfg["hidden_size"], cfg["intermediate_size"]
    n = cfg["num_attention_heads"]
    one = cfg.get("head_dim") or total // n
    first = n * one
    second = cfg.get("num_key_value_heads", n) * one
    print("считаю", first)
    return {
        "q_proj": (total, first),
        "k_proj": (total, second),
        "v_proj": (total, second),
        "o_proj": (first, total),
        "qkv_proj": (total, first + 2 * second),
        "gate_proj": (total, middle),
        "up_proj": (total, middle),
        "gate_up_proj": (total, 2 * middle),
        "down_proj": (middle, total),
    }


def unused(values):
    best = None
    for value in values:
        if best is None or value > best:
            best = value
    while best and best > 10:
        best = math.sqrt(best)
    return [best, len(values), max(values), min(values)]


def lora_params(cfg, r, names):
    """Моё собственное решение."""
    absent = sorted(set(names) - set(cfg["linear_layers"]))
    if absent:
        raise ValueError(f"Нет: {absent}")
    table = sizes_of(cfg)
    block: int = sum(r * (i + o) for i, o in (table[name] for name in set(names)))
    return cfg["num_hidden_layers"] * block
'''
"""The solution with other names, its functions swapped, a docstring, comments, a print and a function added."""


def scores(*texts: str, starter: str = STARTER) -> dict[tuple[int, int], float]:
    return {(pair.left, pair.right): pair.score for pair in compare(starter, texts).pairs}


def test_a_disguised_copy_is_found_and_independent_answers_are_not() -> None:
    texts = [SOLUTION, *INDEPENDENT.values(), DISGUISED]
    assert len(INDEPENDENT) >= 4
    assert set(scores(*texts)) == {(0, len(texts) - 1)}
    assert scores(SOLUTION, DISGUISED)[0, 1] > 0.8


def test_there_is_room_on_both_sides_of_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "ALIKE", 0.0)
    apart = scores(SOLUTION, *INDEPENDENT.values())
    assert len(apart) == len(list(combinations(range(5), 2)))
    assert max(apart.values()) < ALIKE / 2
    mistakes = [path.read_text() for path in (EXERCISE / "mistakes").glob("*.py")]
    near = scores(SOLUTION, *mistakes)
    assert min(near[0, number] for number in range(1, len(mistakes) + 1)) > 0.8


@pytest.mark.parametrize("slug", ["lora-params", "lora-linear", "rank-for-energy"])
def test_names_comments_docstrings_and_order_do_not_matter(slug: str) -> None:
    folder = ROOT / "exercises" / slug
    solution, starter = (folder / "solution.py").read_text(), (folder / "starter.py").read_text()
    assert scores(solution, disguise(solution), starter=starter)[0, 1] >= 0.95


def disguise(text: str) -> str:
    """Other names for parameters and variables, definitions in reverse order, no comments, other docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            node.id = f"my_{node.id}"
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant("Другие слова."))
    stored = {node.id.removeprefix("my_") for node in ast.walk(tree) if isinstance(node, ast.Name) and "my_" in node.id}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in stored:
            node.id = f"my_{node.id}"
    tree.body = [
        *(node for node in tree.body if not isinstance(node, ast.FunctionDef)),
        *reversed([node for node in tree.body if isinstance(node, ast.FunctionDef)]),
    ]
    return ast.unparse(tree)


def test_what_the_starter_gave_is_nobodys() -> None:
    given = INDEPENDENT["table"]
    first, second = given + "\nx = 1\n", given + "\ny = 2\n"
    assert scores(first, second, starter="")[0, 1] > 0.9
    assert scores(first, second, starter=given) == {}
    own = [f"{given}\n\n{INDEPENDENT[name]}" for name in ("loop", "class_based")]
    assert scores(*own, starter=given) == {}


def test_short_exercises_are_called_short() -> None:
    short = ROOT / "exercises" / "rank-for-energy"
    texts = [(short / name).read_text() for name in ("solution.py", "mistakes/not_squared.py")]
    assert compare((short / "starter.py").read_text(), texts).short
    assert not compare(STARTER, [SOLUTION, DISGUISED]).short
    assert compare("", ["x = 1", "y = 1"]) == Comparison(), "a line is alike by nature"


def test_what_is_no_python_or_breaks_the_parser_is_left_out_and_named() -> None:
    bomb = "x = " + "-" * 60_000 + "1"
    deep = "(" * 30_000 + ")" * 30_000
    chain = "x = " + "+".join(["1"] * 30_000)
    texts = [SOLUTION, bomb, deep, "def f(:\n", chain, DISGUISED, "x = 0x" + "f" * 60_000, "\ud800 = 1", "a\0b"]
    found = compare(STARTER, texts)
    assert [(pair.left, pair.right) for pair in found.pairs] == [(0, 5)]
    assert {2, 3, 7, 8} <= set(found.unread)
    assert not {0, 5} & set(found.unread)


def test_one_that_kills_the_process_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "REPORT", "tests.graders.deadly_report:report")
    found = compare(STARTER, [SOLUTION, KILLER, DISGUISED])
    assert [(pair.left, pair.right) for pair in found.pairs] == [(0, 2)]
    assert found.unread == (1,)


def test_a_fault_of_ours_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "REPORT", "graders.fingerprints:nothing")
    with pytest.raises(CannotCompare, match="ошибка наша"):
        compare(STARTER, [SOLUTION, DISGUISED])


def test_a_class_of_sixty_takes_seconds() -> None:
    texts = [*INDEPENDENT.values(), SOLUTION, DISGUISED] * 10
    started = time.monotonic()
    found = compare(STARTER, texts)
    assert time.monotonic() - started < 5
    assert len(found.pairs) == 4 * 45 + 20 * 19 // 2


def test_endless_files_are_named_and_cost_nothing() -> None:
    endless = "x = [" + "f(1, y[2] + z, 3), " * 12_000 + "]"
    started = time.monotonic()
    assert compare("", [endless] * 6).unread == tuple(range(6))
    assert time.monotonic() - started < 2
