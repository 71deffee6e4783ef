"""What a run's page says: sentences, rows and files made from a run's story. Pure, without widgets.

Leaves out drawing (``ui.widgets.run_live``, ``ui.widgets.run_result``) and storing.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common import numbers
from demos.finetuning import recipe, tasks
from demos.finetuning.elsewhere import Elsewhere
from demos.finetuning.events import Answer, Finished, Score, to_json
from demos.finetuning.spec import THREE_CURVES, RunSpec
from demos.finetuning.story import Story
from progress import export
from ui.widgets.safe import plain

CERTAIN = 0.05
"""A paired test below this counts as a difference."""
CALM = frozenset({"early_stop", "recorded", "restarted", "resumed", "packed"})
"""Alarms that only inform."""
STATES = {
    "queued": ("ждёт очереди", "gray"),
    "running": ("идёт", "blue"),
    "finished": ("готово", "green"),
    "failed": ("не получилось", "red"),
    "cancelled": ("остановлен", "orange"),
}
"""A run's state for people, and its colour."""
KINDS = {
    "gained": "стали верными",
    "lost": "испортились",
    "wrong": "остались неверными",
    "kept": "были и остались верными",
}
"""What can happen to one example."""


def badge(state: str, *, recorded: bool = False) -> str:
    """The state as a badge; a recorded run says so."""
    text, colour = STATES.get(state, (state, "gray"))
    return f":{colour}-badge[{text}]" + (" :violet-badge[запись]" if recorded else "")


def now(story: Story) -> str:
    """What is happening at this moment, one short sentence."""
    if story.stage is not None and not (story.last and story.stage.name == "train"):
        return f"{story.stage.title}…"
    if story.last is not None:
        return f"Шаг {story.last.step} из {story.last.steps}"
    return "Готовимся…"


def share_done(story: Story) -> float:
    """How far the steps are, 0 to 1."""
    last = story.last
    return min(1.0, last.step / last.steps) if last and last.steps else 0.0


def time_left(story: Story) -> str:
    """«осталось около 12 с», or nothing before the first step and after the last."""
    last = story.last
    if last is None or last.step >= last.steps or not math.isfinite(last.seconds_left):
        return ""
    return f"осталось около {numbers.duration(last.seconds_left)}"


def share(score: Score) -> str:
    """Exact match as a whole percent: «97 %»."""
    return numbers.percent(score.right / score.of if score.of else 0.0, 0)


def interval(score: Score) -> str:
    """«194 из 200, от 94 до 99 %»."""
    low, high = numbers.decimal(100 * score.low, 0), numbers.percent(score.high, 0)
    return f"{score.right} из {score.of}, от {low} до {high}"


def verdict(end: Finished) -> str:
    """McNemar's test in words: what changed, and whether chance could do the same."""
    gained = numbers.plural(end.gained, "ответ стал верным", "ответа стали верными", "ответов стали верными")
    lost = numbers.plural(end.lost, "испортился", "испортились", "испортились") if end.lost else "ни один не испортился"
    if end.gained == end.lost == 0:
        return "Ни один ответ не стал ни верным, ни неверным: на этих примерах модели неразличимы."
    if end.p_value >= CERTAIN:
        return f"{gained}, {lost}. Такая разница бывает и случайно: считать модели разными по этим примерам нельзя."
    side = "лучше" if end.gained > end.lost else "хуже"
    return f"{gained}, {lost}. Случайно так почти не бывает: после дообучения модель отвечает {side}."


def switch_off(end: Finished, spec: RunSpec) -> str:
    """What remains when the adapter is taken off."""
    if end.adapter_off_equals_base is None:
        return "Отключать нечего: менялись сами веса базы. Прежняя модель осталась только в исходном файле."
    if not end.adapter_off_equals_base:
        return "Без адаптера модель отвечает не так, как база до обучения: адаптер изменил её саму."
    base = "база в том виде, в каком её загрузили" if spec.quantization != "none" else "исходная база"
    text = f"Адаптер снят — и это снова {base}: выходы совпадают бит в бит."
    if spec.quantization != "none" and end.adapter_off_difference is not None:
        gap = numbers.decimal(end.adapter_off_difference, 3)
        text += f" От неквантованной базы выходы отличаются не больше чем на {gap}: это цена квантования."
    return text


def examples(answers: Sequence[Answer], kind: str) -> list[Answer]:
    """The examples to which ``kind`` of ``KINDS`` happened, in their order."""
    return [answer for answer in answers if what_happened(answer) == kind]


def what_happened(answer: Answer) -> str:
    """A key of ``KINDS``."""
    before, after = answer.before == answer.right, answer.after == answer.right
    if before:
        return "kept" if after else "lost"
    return "gained" if after else "wrong"


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of what a run cost; ``there``: the same recipe on a large model."""

    title: str
    here: str
    there: str | None = None


def costs(story: Story, there: Elsewhere | None = None) -> list[Cost]:
    """What the run took here and, if ``there`` is given, what the same recipe takes on a large model."""
    begun, end = story.started, story.finished
    rows = []
    if begun is not None:
        rows += [
            Cost(
                "Обучается параметров",
                numbers.integer(begun.trainable),
                numbers.integer(there.trainable) if there else None,
            ),
            Cost("Их доля", numbers.percent(begun.share, 2), numbers.percent(there.share, 3) if there else None),
            Cost(
                "Моменты AdamW",
                numbers.size(begun.optimizer_bytes),
                numbers.size(there.optimizer_bytes) if there else None,
            ),
            Cost(
                "Веса базы в памяти", numbers.size(begun.base_bytes), numbers.size(there.base_bytes) if there else None
            ),
        ]
    if end is not None:
        rows += [
            Cost("Память на пике", numbers.size(end.peak_memory), numbers.size(there.peak_bytes) if there else None),
            Cost(
                "Время обучения",
                numbers.duration(end.train_seconds),
                numbers.duration(there.seconds) if there else None,
            ),
            Cost("Файл на диске", numbers.size(end.file_bytes), numbers.size(there.file_bytes) if there else None),
        ]
    return rows


def curve_csv(story: Story) -> bytes:
    """Steps and validations as a table that a Russian spreadsheet opens by double click."""
    checked = {point.step: point.loss for point in story.evaluated}
    head = ["Шаг", "Потери", "Потери на проверке", "Скорость обучения", "Норма градиента", "Токенов в секунду",
            "Память, байт", "Секунд от начала"]  # fmt: skip
    steps = {step.step: step for step in story.steps}
    rows: list[list[object]] = []
    for number in sorted(steps.keys() | checked.keys()):
        step = steps.get(number)
        told = (
            (step.learning_rate, step.gradient_norm, step.tokens_per_second, step.memory, step.seconds) if step else ()
        )
        rows.append([number, step.loss if step else "", checked.get(number, ""), *(told or ("",) * 5)])
    return export.table(head, rows)


def other_methods(spec: RunSpec) -> dict[str, RunSpec]:
    """The same recipe with another method, each at the method's own learning rate; the present one is left out."""
    made = {}
    for name, model in THREE_CURVES.items():
        if (model.method, model.quantization) != (spec.method, spec.quantization):
            made[name] = dataclasses.replace(
                spec,
                method=model.method,
                quantization=model.quantization,
                learning_rate=model.learning_rate,
                targets=spec.targets if spec.method == "lora" else model.targets,
            )
    return made


def rate(value: float) -> str:
    """A learning rate with two digits that matter: «0,005», «0,00012»."""
    return f"{value:.2g}".replace(".", ",").replace("-", numbers.MINUS)


def side_by_side(told: Sequence[tuple[str, Story]]) -> str:
    """What several finished runs cost, as a table: one column for each."""
    columns = [{cost.title: cost.here for cost in costs(story)} for _, story in told]
    titles = list(dict.fromkeys(title for column in columns for title in column))
    head = "| |" + "|".join(name for name, _ in told) + "|\n|---|" + "--:|" * len(told)
    rows = [f"| {title} |" + "|".join(column.get(title, "—") for column in columns) + "|" for title in titles]
    return "\n".join([head, *rows])


def source(spec: RunSpec) -> str:
    """The program that this recipe runs, as a learner may run it at home."""
    return recipe.source(spec)


def task(spec: RunSpec) -> str:
    """The task's title as Markdown; a name that nobody knows may be anything, so it is shown inert."""
    found = tasks.known(spec.task)
    return found.title if found else plain(spec.task)


def facts(spec: RunSpec) -> str:
    """The recipe in one line under the title: task, steps, learning rate, seed."""
    parts = [
        f"задача «{task(spec)}»",
        numbers.plural(spec.steps, "шаг", "шага", "шагов"),
        f"по {numbers.plural(spec.batch, 'примеру', 'примера', 'примеров')}",
        f"скорость обучения {rate(spec.learning_rate)}",
        f"зерно {spec.seed}",
    ]
    return " · ".join(parts)


def spec_file(spec: RunSpec) -> bytes:
    """The recipe as a file."""
    return json.dumps(spec.to_json(), ensure_ascii=False, indent=2).encode()


def result_file(spec: RunSpec, story: Story) -> bytes:
    """Everything that the run said, as a file."""
    told = [each for each in (story.started, *story.evaluated, *story.alarms, story.finished, story.failed) if each]
    whole = {"recipe": spec.to_json(), "events": [to_json(event) for event in told]}
    return json.dumps(whole, ensure_ascii=False, indent=2).encode()


def archive(files: Mapping[str, bytes]) -> bytes:
    """Files as one zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return made.getvalue()
