"""No item of the catalogue (docs/attacks.md) is forgotten: each has a case here or a test elsewhere that exists."""

from __future__ import annotations

import ast
import re

from settings import ROOT
from tests.attacks.test_attacks import CASES

ELSEWHERE = {
    53: "tests/graders/test_artifacts.py::test_anything_else_is_named_and_earns_nothing_for_it",
    67: "tests/exercises/test_folders.py::test_a_mistake_is_recognised_and_costs_one_concept",
    68: "tests/exercises/test_folders.py::test_a_mistake_is_recognised_and_costs_one_concept",
    69: "tests/graders/test_artifacts.py::test_anything_else_is_named_and_earns_nothing_for_it",
    71: "tests/graders/test_similarity.py::test_a_disguised_copy_is_found_and_independent_answers_are_not",
    79: "tests/graders/test_artifacts.py::test_nothing_is_alive_that_could_change_a_file_while_it_is_read",
    84: "tests/attacks/test_attacks.py::test_nothing_of_one_grading_is_found_by_the_next",
    93: "tests/graders/test_notebook.py::test_a_letter_that_deceives_is_named_with_its_cell",
    97: "tests/graders/test_notebook.py::test_what_was_removed_is_told_with_its_cell_and_line",
    98: "tests/graders/test_notebook.py::test_outputs_pictures_and_attachments_are_dropped",
    99: "tests/graders/test_notebook.py::test_cells_run_out_of_order_are_named",
    102: "tests/graders/test_notebook.py::test_a_python_file_called_a_notebook_is_python",
    107: "tests/progress/test_submissions.py::test_a_double_click_is_one_submission",
    108: "tests/jobs/test_queue.py::test_a_worker_killed_while_grading_loses_nothing_and_charges_nothing",
    109: "tests/exercises/test_folders.py::test_a_solution_passes_whatever_is_drawn",
}
"""Where an item is tried that needs more than one submission, or no grading at all."""
LAST = 109


def test_every_item_is_tried() -> None:
    tried = {case.item for case in CASES} | set(ELSEWHERE)
    assert tried == set(range(1, LAST + 1))
    assert len(CASES) >= LAST


def test_what_is_tried_elsewhere_is_there() -> None:
    for place in ELSEWHERE.values():
        path, _, name = place.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


def test_the_document_speaks_of_every_item() -> None:
    spans = re.findall(r"^\| (\d+)–(\d+) \|", (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = [item for first, last in spans for item in range(int(first), int(last) + 1)]
    assert told == list(range(1, LAST + 1))


def test_names_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)
