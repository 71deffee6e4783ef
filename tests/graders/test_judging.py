"""How the judge runs checks: in which order, in which sandbox, whose fault it is, which output belongs to which."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from graders.host.engine import Engine
from graders.host.output import KEPT
from graders.protocol import Check, Job, Outcome, Verdict

pytestmark = pytest.mark.slow
HEAD = "import pytest, torch\nfrom graders.host.checking import Mistake, SubmissionError, check, number\n"
EXERCISE = 'title = "t"\nlesson = "l"\nsummary = "s"\nconcepts = ["c"]\nexample = "1"\nfunctions = []\n'
COUNTS = """
calls = 0
def turn():
    global calls
    calls += 1
    return calls
"""
TURN = '''
@check(concept="c"{more})
def test_{name}(solution):
    """Который это вызов"""
    raise Mistake("", str(solution.turn()))
'''


@dataclass
class Workshop:
    """Exercises written for one test each."""

    folder: Path
    engine: Engine
    made: int = 0

    def grade(self, checks: str, solution: str, *, toml: str = "", given: str = "") -> Verdict:
        self.made += 1
        folder = self.folder / f"e{self.made}"
        folder.mkdir()
        for name, text in {
            "exercise.toml": EXERCISE + ("" if "seconds" in toml else "seconds = 4\n") + toml,
            f"test_e{self.made}.py": HEAD + textwrap.dedent(checks),
            "given.py": textwrap.dedent(given),
            **dict.fromkeys(("statement.md", "hints.md", "starter.py"), "-"),
        }.items():
            (folder / name).write_text(text)
        return self.again(solution)

    def again(self, solution: str) -> Verdict:
        return self.engine.grade(Job(f"e{self.made}", textwrap.dedent(solution).encode()))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("exercises")
    with Engine(folder) as engine:
        yield Workshop(folder, engine)


def turns(verdict: Verdict) -> str:
    return "".join(check.message for check in verdict.checks)


def test_the_order_is_left_to_chance_and_told_in_the_order_of_the_file(workshop: Workshop) -> None:
    names = "abcdef"
    checks = "".join(TURN.format(name=name, more="") for name in names)
    verdicts = [workshop.grade(checks, COUNTS), *(workshop.again(COUNTS) for _ in range(3))]
    assert all("".join(check.id for check in verdict.checks) == names for verdict in verdicts)
    orders = {turns(verdict) for verdict in verdicts}
    assert all(sorted(order) == list("123456") for order in orders)
    assert len(orders) > 1


def test_a_fresh_exercise_keeps_nothing_between_checks(workshop: Workshop) -> None:
    checks = "".join(TURN.format(name=name, more="") for name in "abcd")
    assert turns(workshop.grade(checks, COUNTS, toml="fresh = true\n")) == "1111"


def test_one_fresh_check_hears_of_no_other(workshop: Workshop) -> None:
    checks = "".join(TURN.format(name=name, more=", fresh=True" if name == "c" else "") for name in "abcd")
    for verdict in (workshop.grade(checks, COUNTS), *(workshop.again(COUNTS) for _ in range(3))):
        assert turns(verdict)[2] == "1"
        assert len(set(turns(verdict))) > 1, "the others share a sandbox"


def test_files_do_not_outlive_a_fresh_check_either(workshop: Workshop) -> None:
    remembers = """
    import pathlib
    def turn():
        seen = pathlib.Path("/tmp/seen"), pathlib.Path("/dev/shm/seen")
        known = any(path.exists() for path in seen)
        for path in seen: path.write_text("x")
        return "да" if known else "нет"
    """
    checks = "".join(TURN.format(name=name, more="") for name in "ab")
    assert turns(workshop.grade(checks, remembers, toml="fresh = true\n")) == "нетнет"
    assert sorted([turns(workshop.grade(checks, remembers))]) in (["нетда"], ["данет"])


ASKING = '''
@check(concept="c")
def test_a(solution, given, draw):
    """Проверка"""
    {body}
'''


@pytest.mark.parametrize(
    "body",
    [
        "1 / 0",
        "draw.nonsense(3)",
        "solution.answer(); undefined_name",
        "solution.answer(); import graders.nothing",
        "pytest.skip('later')",
        "pytest.xfail('known')",
        "solution.answer(object())",
        "raise SystemExit(0)",
    ],
)
def test_a_check_that_breaks_by_itself_is_our_fault(workshop: Workshop, body: str) -> None:
    verdict = workshop.grade(ASKING.format(body=body), "def answer(): return 5")
    assert (verdict.outcome, verdict.checks) == (Outcome.INFRA_ERROR, ())
    assert not verdict.outcome.counts
    assert "на нашей стороне" in verdict.message


@pytest.mark.parametrize(
    ("checks", "given"),
    [
        (ASKING.format(body="number(solution.answer(), 5)").replace("draw", "drwa"), ""),
        ("import nowhere\n" + ASKING.format(body="number(solution.answer(), 5)"), ""),
        (ASKING.format(body="number(solution.answer(), 5)"), "raise ValueError('given')"),
        (
            "@pytest.fixture\ndef broken():\n    raise ValueError\n"
            + ASKING.format(body="number(solution.answer(), 5)").replace("draw", "broken"),
            "",
        ),
    ],
    ids=["no such fixture", "import", "given.py", "fixture"],
)
def test_broken_surroundings_are_our_fault(workshop: Workshop, checks: str, given: str) -> None:
    verdict = workshop.grade(checks, "def answer(): return 5", given=given)
    assert verdict.outcome is Outcome.INFRA_ERROR


@pytest.mark.parametrize(
    ("body", "answer", "said"),
    [
        ("len(solution.answer())", "None", "он не того вида"),
        ("assert solution.answer().sum() > 1, 'Мало'", "torch.zeros(2)", "Мало"),
        ("assert solution.answer() @ torch.ones(2) > 1", "torch.zeros(3)", "он не того вида"),
        ("solution.answer()['a']", "{}", "он не того вида"),
        ("with pytest.raises(SubmissionError): solution.answer()", "1", "Результат не такой"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_the_learners(workshop: Workshop, body: str, answer: str, said: str) -> None:
    verdict = workshop.grade(ASKING.format(body=body), f"import torch\ndef answer(): return {answer}")
    assert verdict.outcome is Outcome.FAILED
    assert said in verdict.message


def test_what_an_earlier_check_heard_excuses_no_broken_one(workshop: Workshop) -> None:
    checks = ASKING.format(body="number(solution.answer(), 5)") + ASKING.format(body="1 / 0").replace("_a", "_b")
    assert workshop.grade(checks, "def answer(): return 5").outcome is Outcome.INFRA_ERROR


@pytest.mark.parametrize(
    "body",
    [
        "thing = solution.make(); files['a']; thing.get('x')",
        "thing = solution.make(); files['a']; solution.use(thing)",
        "solution.make(); files['b']",
    ],
    ids=["asked after its end", "carried into another sandbox", "a file not asked for"],
)
def test_a_check_that_mixes_up_its_sandboxes_is_our_fault(workshop: Workshop, body: str) -> None:
    solution = """
    import pathlib
    class Thing: x = 5
    def make():
        pathlib.Path("/tmp/answer/a").write_text("a")
        return Thing()
    def use(thing): return thing.x
    """
    checks = ASKING.format(body="solution.make(); assert files['a'] == b'a'; assert solution.use(solution.make()) == 5")
    right = workshop.grade(checks.replace("draw", "files"), solution, toml='files = ["a"]\n')
    assert right.outcome is Outcome.PASSED, right.message
    verdict = workshop.grade(ASKING.format(body=body).replace("draw", "files"), solution, toml='files = ["a"]\n')
    assert verdict.outcome is Outcome.INFRA_ERROR


def test_time_that_ran_out_in_one_check_is_told_apart_from_checks_never_reached(workshop: Workshop) -> None:
    checks = "".join(TURN.format(name=name, more="") for name in "abc")
    loops = "def turn():\n    while True: pass"
    for verdict in (workshop.grade(checks, loops, toml="seconds = 1\n"), workshop.again(loops)):
        assert {check.outcome for check in verdict.checks} == {Outcome.TIMEOUT}
        said = sorted(check.message[:20] for check in verdict.checks)
        assert said == ["До этой проверки дел"] * 2 + ["Решение не уложилось"]
        assert verdict.message.startswith("Решение не уложилось")


def test_time_that_runs_out_while_a_sandbox_is_set_up_is_not_our_fault(workshop: Workshop) -> None:
    checks = "".join(TURN.format(name=name, more="") for name in "abcdefg")
    given = "import time\ntime.sleep(0.6)"
    verdict = workshop.grade(checks, COUNTS, toml="seconds = 2\nfresh = true\n", given=given)
    assert verdict.outcome in {Outcome.FAILED, Outcome.TIMEOUT}
    assert Outcome.TIMEOUT in {check.outcome for check in verdict.checks}


PRINTING = '''
@check(concept="c")
def test_{name}(solution, draw):
    """Проверка"""
    number(solution.answer("{name}"), 5)
'''


def printed(workshop: Workshop, solution: str, toml: str = "") -> tuple[str, dict[str, Check]]:
    checks = "".join(PRINTING.format(name=name) for name in "abc")
    verdict = workshop.grade(checks, solution, toml=toml)
    return verdict.output, {check.id: check for check in verdict.checks}


@pytest.mark.parametrize("toml", ["", "fresh = true\n"])
def test_each_check_shows_what_was_printed_during_it(workshop: Workshop, toml: str) -> None:
    solution = """
    import sys
    print("гружусь")
    def answer(name):
        print("проверка", name, end="\\x1b[31m\\u202e!\\n")
        print("на stderr тоже", file=sys.stderr)
        return 5 if name != "b" else 6
    """
    outside, checks = printed(workshop, solution, toml)
    assert outside == "гружусь\n"
    assert {name: check.output for name, check in checks.items()} == {
        name: f"проверка {name}�[31m�!\nна stderr тоже\n" for name in "abc"
    }
    assert checks["b"].outcome is Outcome.FAILED


def test_what_a_check_printed_before_it_died_is_shown_with_it(workshop: Workshop) -> None:
    solution = """
    import os
    def answer(name):
        print("пока жив", name)
        if name == "a": os._exit(3)
        if name == "b":
            while True: pass
        return 5
    """
    _, checks = printed(workshop, solution)
    assert checks["a"].outcome in {Outcome.CRASHED, Outcome.TIMEOUT}
    for check in checks.values():
        assert check.output in ({f"пока жив {check.id}\n"} if "не дошло" not in check.message else {""})


def test_a_long_part_keeps_both_ends_and_says_how_much_is_missing(workshop: Workshop) -> None:
    solution = """
    def answer(name):
        print("начало"), print("x" * 300_000), print("конец")
        return 6 if name == "a" else 5
    """
    outside, checks = printed(workshop, solution)
    assert outside == ""
    for check in checks.values():
        assert check.output.startswith("начало\n")
        assert check.output.endswith("конец\n")
        assert re.search("\n… пропущено 229,0.КиБ …\n", check.output), check.output[32_000:34_000]
        assert len(check.output) < 2 * KEPT + 60


def test_printing_without_end_is_stopped_whatever_it_is_split_into(workshop: Workshop) -> None:
    solution = "def answer(name):\n    print('y' * 3_000_000)\n    return 5"
    _, checks = printed(workshop, solution, "fresh = true\n")
    assert sorted(check.outcome for check in checks.values()) == [Outcome.CRASHED, Outcome.PASSED, Outcome.PASSED]


def test_warnings_of_libraries_cost_nothing_and_are_brief(workshop: Workshop) -> None:
    solution = """
    import warnings
    import torch
    import transformers
    warnings.simplefilter("always")
    def answer(name):
        for _ in range(300):
            torch.nn.functional.softmax(torch.ones(3))
            torch.cuda.amp.autocast()
        for number in range(100):
            warnings.warn(f"номер {number}")
        return 5
    """
    outside, checks = printed(workshop, solution)
    assert {check.outcome for check in checks.values()} == {Outcome.PASSED}
    assert outside == ""
    told = "".join(check.output for check in checks.values())
    assert told.count("Implicit dimension choice for softmax") == 1
    assert told.count("FutureWarning: `torch.cuda.amp.autocast") == 1
    assert "номер 0" in told
    assert told.count("\n") < 25
    assert "site-packages" not in told
    assert "дальше предупреждения не показаны" in told
