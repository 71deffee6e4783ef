"""The code that the page of memory offers counts the same as the page."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from demos import registry
from ui.demos.memory import LOOKS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "arguments",
    [{"architecture": "gpt2", "method": "full"}, {"architecture": "gpt2", "method": "dora", "targets": "all-linear"}],
)
def test_the_code_counts_what_is_trained(arguments: dict[str, object]) -> None:
    params: Any = registry.params("memory.training", arguments)
    code = LOOKS["memory.training"].code
    assert code is not None
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GPT-2's transposed weights: peft sees them and says so
        exec(compile(code(params), "page", "exec"), names)  # noqa: S102 - our own text
    assert names["trained"] == registry.call("memory.training", arguments).trainable
