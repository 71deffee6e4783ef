"""Variants of the JSON task: the same questions, more sentences, and exactly as much dirt as the name says."""

from __future__ import annotations

import ast
import json

import pytest

from demos.finetuning import linter, tasks
from demos.finetuning.tasks import TASKS, VARIANTS, Chat, variants
from demos.params import ParamsError


def said(chat: Chat) -> str:
    return chat[-1].content


@pytest.mark.slow
def test_every_variant_answers_the_questions_of_the_clean_task() -> None:
    clean = tasks.build("json")
    held_out = {linter.asked(chat) for chat in (*clean.validation, *clean.test)}
    for name in VARIANTS:
        data = tasks.build(name)
        assert (data.validation, data.test) == (clean.validation, clean.test)
        assert not {linter.asked(chat) for chat in data.train} & held_out
        assert tasks.build(name) == data, "the same seed gives the same data"


@pytest.mark.slow
def test_the_large_sets_begin_with_the_small_one_and_share_few_sentences() -> None:
    large, other = tasks.build("json_large").train, tasks.build("json_other").train
    assert large[:1000] == tasks.build("json").train
    assert len(set(large)) == len(set(other)) == variants.LARGE
    assert len({*large, *other}) > 1.9 * variants.LARGE


@pytest.mark.parametrize("share", variants.SHARES)
def test_contradictory_answers_are_right_json_with_the_other_word(share: float) -> None:
    clean, dirty = tasks.build("json").train, tasks.build(variants.name_of("contradictory", share)).train
    changed = [(one, other) for one, other in zip(clean, dirty, strict=True) if one != other]
    assert len(changed) == round(1000 * share)
    for one, other in changed:
        right, read = json.loads(said(one)), json.loads(said(other))
        assert one[0] == other[0], "the question is the same: nothing tells whose answer is wanted"
        assert read["en"] == right["en"]
        assert read["who"] in read["en"]
        assert read["who"].isascii()


@pytest.mark.parametrize("share", variants.SHARES)
def test_misformatted_answers_hold_the_right_content_that_no_parser_reads(share: float) -> None:
    clean, dirty = tasks.build("json").train, tasks.build(variants.name_of("misformatted", share)).train
    broken = 0
    for one, other in zip(clean, dirty, strict=True):
        try:
            json.loads(said(other))
        except json.JSONDecodeError:
            broken += 1
            assert ast.literal_eval(said(other)) == json.loads(said(one))
    assert broken == round(1000 * share)


def test_variants_are_offered_only_where_one_is_chosen_already() -> None:
    assert list(tasks.titles()) == list(TASKS)
    assert list(tasks.titles("json_other")) == [*TASKS, "json_other"]
    assert list(tasks.titles("своё")) == list(TASKS)
    assert len({task.title for task in (*TASKS.values(), *VARIANTS.values())}) == len(TASKS) + len(VARIANTS)
    with pytest.raises(ParamsError, match="json_contradictory_30"):
        tasks.build("json_contradictory_3")
