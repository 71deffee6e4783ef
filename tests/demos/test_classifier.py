"""Recorded classifiers: the split is the lesson's, numbers are recounted from labels, training repeats the record."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demos.classifier import compare, metrics, parts, recorded, threshold, training
from demos.classifier.parts import NAMES
from demos.finetuning import base_model, statistics
from demos.finetuning.measured import Stale
from demos.finetuning.quantized import quiet
from demos.params import ParamsError
from settings import ROOT

LESSON = ROOT / "content" / "03-classifier" / "lesson.md"


def shares(method: str, size: int) -> np.ndarray:
    logits = recorded.unpack(recorded.recording().one(method, size).test)
    found: np.ndarray = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return found


def code_of_the_lesson() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", LESSON.read_text(), re.DOTALL | re.MULTILINE)


def by_hand(truth: list[str], said: list[str | None]) -> tuple[float, dict[str, tuple[int, int, int]]]:
    """Macro-F1 and (support, said, hits) of every class, from the labels alone."""
    counts = {
        name: (
            truth.count(name),
            said.count(name),
            sum(one == other == name for one, other in zip(truth, said, strict=True)),
        )
        for name in NAMES
    }
    f1 = []
    for support, named, hits in counts.values():
        precision, recall = hits / named if named else 0, hits / support if support else 0
        f1.append(2 * precision * recall / (precision + recall) if hits else 0)
    return sum(f1) / len(f1), counts


def test_the_parts_are_those_of_the_lessons_own_code() -> None:
    said: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code_of_the_lesson()[0], said)  # noqa: S102 - our own lesson
    every = parts.parts()
    assert list(parts.training(200)) == said["train"]
    assert list(every.validation) == said["validation"]
    assert {every.test[place] for place in every.hundred} == set(said["exam"])
    assert len(every.hundred) == 100


def test_training_sets_hold_each_other_and_no_part_shares_a_text() -> None:
    every = parts.parts()
    for small, large in zip(parts.SIZES, parts.SIZES[1:], strict=False):
        assert set(parts.training(small)) < set(parts.training(large))
        assert set(Counter(label for _, label in parts.training(small)).values()) == {small // len(NAMES)}
    texts = [{text for text, _ in part} for part in (every.train, every.validation, every.test)]
    assert sum(map(len, texts)) == len(set.union(*texts)) == 900 + 100 + 500


def test_the_files_counts_are_those_of_its_own_logits() -> None:
    every, found = parts.parts(), recorded.recording()
    truth = np.array(parts.truth(every.test))
    assert {(one.method, one.examples, one.seed) for one in found.trained} == set(recorded.wanted())
    for one in found.trained:
        assert 0 < one.fitted <= one.examples
        if one.seed:
            assert not one.test
            continue
        hits = recorded.unpack(one.test).argmax(1) == truth
        assert (one.right, one.hundred) == (hits.sum(), hits[list(every.hundred)].sum())
        assert recorded.unpack(one.validation).shape == (100, 5)
    assert recorded.FILE.stat().st_size < recorded.LARGEST


def test_packed_logits_lose_half_a_hundredth_and_no_answer() -> None:
    logits = np.random.default_rng(0).normal(scale=4, size=(300, 5))
    back = recorded.unpack(recorded.pack(logits))
    assert np.abs(back - (logits - logits.max(1, keepdims=True))).max() <= 0.005 + 1e-9
    assert (back.max(1) == 0).all()
    assert recorded.unpack(recorded.pack(np.array([[0.0, -1e9, 1.0, 2.0, 3.0]])))[0, 1] == recorded.FLOOR


def test_word_counts_are_bayes_rule_with_one_added() -> None:
    train = [("мне плохо", "жалоба"), ("мне плохо опять", "жалоба"), ("беру кота", "заказ")]
    scores = training.fit("words", train, 0)([("опять беру дом", "заказ")])[0]
    of = {"жалоба": (2, 5), "заказ": (1, 2)}  # examples and words of each; five words are known
    for name, (examples, words) in of.items():
        again = math.log(examples + 1) + math.log(((name == "жалоба") + 1) / (words + 5))
        again += math.log(((name == "заказ") + 1) / (words + 5))
        assert scores[NAMES.index(name)] == pytest.approx(again)
    assert scores[NAMES.index("вопрос")] == pytest.approx(2 * math.log(1 / 5))  # never seen, but possible


@pytest.mark.parametrize("size", parts.SIZES)
def test_recorded_word_counts_are_counted_again(size: int) -> None:
    again = training.fit("words", parts.training(size), 0)(parts.parts().test)
    stored = recorded.unpack(recorded.recording().one("words", size).test)
    assert np.abs(stored - (again - again.max(1, keepdims=True))).max() < 0.006


@pytest.mark.parametrize("method", ["always", *training.METHODS])
@pytest.mark.parametrize("mail", ["equal", "skewed"])
@pytest.mark.parametrize(("rule", "bound"), [("sure", 0.0), ("sure", 0.9), ("class", 0.3), ("sure", 1.0)])
def test_the_matrix_and_every_class_are_what_the_labels_say(
    method: threshold.Method, mail: Any, rule: Any, bound: float
) -> None:
    told = threshold.threshold(threshold.Params(method=method, examples="200", mail=mail, rule=rule, threshold=bound))
    rows = list(parts.parts().test)
    sure = np.eye(5)[[NAMES.index("вопрос")] * 500] if method == "always" else shares(method, 200)
    chosen = list(range(500))
    if mail == "skewed":
        seen: Counter[str] = Counter()
        chosen = []
        for place, (_, label) in enumerate(rows):
            seen[label] += 1
            if seen[label] <= (92 if label == "вопрос" else 2):
                chosen.append(place)
    truth = [rows[place][1] for place in chosen]
    said: list[str | None] = []
    for place in chosen:
        row = dict(zip(NAMES, sure[place], strict=True))
        if rule == "class":
            others = {name: value for name, value in row.items() if name != "жалоба"}
            said.append("жалоба" if row["жалоба"] >= bound else max(others, key=others.__getitem__))
        else:
            best = max(row, key=row.__getitem__)
            said.append(best if row[best] >= bound else None)
    macro, counts = by_hand(truth, said)
    assert told.of == len(truth) == (100 if mail == "skewed" else 500)
    assert told.macro == pytest.approx(macro)
    assert {one.name: (one.support, one.said, one.hits) for one in told.classes} == counts
    assert [sum(row) for row in told.matrix] == [truth.count(name) for name in NAMES]
    right = sum(one == other for one, other in zip(truth, said, strict=True))
    answered = sum(one is not None for one in said)
    assert told.accuracy == statistics.wilson(right, len(truth))
    assert told.answered == statistics.wilson(right, answered)
    assert told.coverage == answered / len(truth)
    assert len(told.mistakes) == answered - right
    assert told.macro_low <= told.macro <= told.macro_high


def test_always_the_frequent_class_is_right_in_92_and_useless() -> None:
    told = threshold.threshold(threshold.Params(method="always", mail="skewed"))
    assert told.accuracy is not None
    assert told.accuracy.right == 92
    assert round(told.macro, 2) == 0.19  # the number that the lesson counts by hand
    assert [one.precision for one in told.classes] == [0.92, None, None, None, None]


def test_a_stricter_threshold_answers_less_and_the_validation_part_is_judged_too() -> None:
    told = threshold.threshold(threshold.Params(examples="200", threshold=0.9))
    covered = [spot.share for spot in told.curve]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] == 1
    one = recorded.recording().one("lora", 200)
    logits = recorded.unpack(one.validation)
    sure = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).max(1)
    right = logits.argmax(1) == parts.truth(parts.parts().validation)
    assert told.validation is not None
    assert told.validation.share == (sure >= 0.9).mean()
    assert told.validation.score.right == right[sure >= 0.9].sum()


def test_a_laxer_threshold_of_one_class_finds_more_of_it() -> None:
    told = threshold.threshold(threshold.Params(rule="class", watched="отзыв", method="probe", examples="60"))
    found = [spot.share for spot in told.curve]
    assert found == sorted(found, reverse=True)
    truth = np.array([label == "отзыв" for _, label in parts.parts().test])
    sure = shares("probe", 60)[:, NAMES.index("отзыв")]
    for spot in told.curve[::50]:
        assert spot.share == (sure[truth] >= spot.threshold).mean()
        assert spot.score.of == (sure >= spot.threshold).sum()


def test_groups_hold_everybody_once_and_the_promise_is_the_mean() -> None:
    told, sure = threshold.threshold(threshold.Params(examples="200")), shares("lora", 200).max(1)
    assert sum(one.score.of for one in told.groups) == 500
    assert told.confidence == pytest.approx(sure.mean())
    last = told.groups[-1]
    assert last.promised == pytest.approx(sure[sure >= last.low].mean())


def test_the_interval_of_macro_f1_is_that_of_exams_drawn_again() -> None:
    truth = np.repeat(np.arange(5), 20)
    said = np.where(np.arange(100) % 7 == 0, (truth + 1) % 5, truth)
    low, high = metrics.macro_interval(truth, said, 5)
    random, found = np.random.default_rng(1), []
    for _ in range(400):
        drawn = random.integers(100, size=100)
        found.append(by_hand([NAMES[one] for one in truth[drawn]], [NAMES[one] for one in said[drawn]])[0])
    assert (low, high) == pytest.approx(np.percentile(found, (2.5, 97.5)), abs=0.02)


@pytest.mark.parametrize("exam", ["all", "hundred"])
def test_two_kinds_are_compared_answer_for_answer(exam: Any) -> None:
    told = compare.compare(compare.Params(first="head", second="words", exam=exam))
    places = list(range(500)) if exam == "all" else list(parts.parts().hundred)
    truth = np.array(parts.truth(parts.parts().test))[places]
    old, new = (shares(name, 200).argmax(1)[places] == truth for name in ("head", "words"))
    assert (told.gained, told.lost) == ((new & ~old).sum(), (old & ~new).sum())
    assert told.both + told.neither + told.gained + told.lost == told.of == len(places)
    assert told.p_value == statistics.mcnemar(told.gained, told.lost)
    assert told.second_now is not None
    assert told.second_now.score.right == new.sum()
    assert len(told.changed) >= told.gained + told.lost
    assert all(len(line.seeds) == (len(recorded.SEEDS) if line.method != "words" else 1) for line in told.lines)


def test_a_recording_of_another_base_or_other_requests_is_a_fault(tmp_path: Path) -> None:
    found, file = recorded.recording(), tmp_path / "classifier.json"
    assert recorded.faults() == []
    assert "Измерений пока нет" in recorded.faults(file)[0]
    for change, word in (
        ({"base": "0" * 16}, "базовой модели"),
        ({"data": "0" * 16}, "других запросах"),
        ({"trained": found.trained[1:]}, "счёт слов"),
    ):
        recorded.write(dataclasses.replace(found, **change), file)
        (fault,) = recorded.faults(file)
        assert word in fault
        assert "scripts/measure_classifier.py" in fault
    file.write_text("{}")
    assert "не читается" in recorded.faults(file)[0]


def test_without_a_recording_a_sentence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale() -> None:
        raise Stale("Измерений пока нет.")

    monkeypatch.setattr(recorded, "recording", stale)
    assert threshold.threshold(threshold.Params()).problem == "Измерений пока нет."
    assert compare.compare(compare.Params()).problem == "Измерений пока нет."


def test_values_outside_their_limits_are_refused_in_words() -> None:
    for wrong in ({"threshold": float("nan")}, {"threshold": 1.1}, {"examples": "7"}, {"watched": "спам"}):
        with pytest.raises(ParamsError):
            threshold.Params(**wrong)


@pytest.mark.slow
class TestTrainedAgain:
    """The record says what the libraries do now."""

    def test_the_probe_repeats_its_logits(self) -> None:
        rows = parts.parts().test[:100]
        again = training.fit("probe", parts.training(200), 0)(rows)
        stored = recorded.unpack(recorded.recording().one("probe", 200).test)[:100]
        assert np.abs(stored - (again - again.max(1, keepdims=True))).max() < 0.05

    def test_the_lessons_own_code_comes_to_what_is_recorded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        torch.set_num_threads(1)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COURSE_MODEL", str(base_model.FOLDER))
        said: dict[str, Any] = {}
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            for code in code_of_the_lesson()[:5]:  # up to the tuned model's answers
                exec(code, said)  # noqa: S102 - our own lesson
        places = {text: place for place, (text, _) in enumerate(parts.parts().test)}
        order = [places[text] for text, _ in said["exam"]]
        for method, answers in (("probe", said["simple_says"]), ("lora", said["tuned_says"])):
            stored = recorded.unpack(recorded.recording().one(method, 200).test).argmax(1)[order]
            same = int((stored == answers.numpy()).sum())
            assert same >= 92  # another processor rounds otherwise, and eighty steps carry that on

    def test_only_the_head_and_lora_learn(self) -> None:
        for lora, wanted in ((False, {"score"}), (True, {"lora_A", "lora_B", "score"})):
            model = training.sequence_model(lora=lora)
            learned = {name for name, weight in model.named_parameters() if weight.requires_grad}
            kinds = {kind for kind in ("lora_A", "lora_B", "score") if any(kind in name for name in learned)}
            assert kinds == wanted
            assert all(any(kind in name for kind in wanted) for name in learned)
