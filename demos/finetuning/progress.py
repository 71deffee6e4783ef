"""What a training reports becomes events; what goes wrong while it trains is noticed and said.

Knows nothing of torch. Leaves out who calls it (``callbacks``) and what can be known before the first step
(``preflight``).
"""

from __future__ import annotations

import math
import statistics
import time

from common import numbers
from demos.finetuning.channel import Channel, peak_memory
from demos.finetuning.events import Evaluated, Step
from demos.finetuning.spec import RunSpec

PAUSE = 0.25
"""Seconds between two Step events at least."""
RECENT = 5
"""Steps whose median says where the loss is now: one bad batch is no divergence."""
WORSE = 1.05
"""Validation loss this many times its best is overfitting when it happens twice in a row."""
FLAT, GOOD = 0.02, 0.05
"""A plateau: the loss fell by a smaller share than this between two windows, and is not yet as good as that."""


class Progress:
    """Everything seen of one training, and what follows from it."""

    def __init__(self, spec: RunSpec, channel: Channel) -> None:
        self.spec, self.channel = spec, channel
        self.losses: list[float] = []
        self.validation: list[float] = []
        self.diverged = self.stopped_early = False
        self.step = 0
        self.train_seconds = 0.0  # without evaluations
        self._told: set[str] = set()
        self._last_said = -PAUSE
        self._clock = time.monotonic()
        self._tokens = (0.0, 0.0)  # seconds and tokens at the last event

    @property
    def stop(self) -> bool:
        """Whether training should end after this step."""
        return self.diverged or self.stopped_early

    def resume(self) -> None:
        """Training begins or goes on after an evaluation."""
        self._clock = time.monotonic()

    def logged(self, step: int, logs: dict[str, float]) -> None:
        """One step's loss, learning rate, gradient norm and tokens so far."""
        now = time.monotonic()
        self.train_seconds += now - self._clock
        self._clock = now
        self.step = step
        loss, norm = float(logs["loss"]), float(logs.get("grad_norm", math.nan))
        self.losses.append(loss)
        if now - self._last_said >= PAUSE or step in (1, self.spec.steps):
            self._last_said = now
            self._say(step, loss, norm, logs)
        self._watch(step, loss)

    def evaluated(self, step: int, loss: float) -> None:
        """The validation loss at a step; 0 is before training."""
        self.validation.append(loss)
        self.channel.say(Evaluated(step, loss, self.channel.seconds()))
        self._overfitting(step)
        self._patience(step)
        self.resume()

    @property
    def is_best(self) -> bool:
        """Whether the last validation loss is the lowest so far."""
        return self.validation[-1] <= min(self.validation)

    def _say(self, step: int, loss: float, norm: float, logs: dict[str, float]) -> None:
        before, tokens = self._tokens
        seen = float(logs.get("num_tokens", 0))
        self._tokens = (self.train_seconds, seen)
        speed = (seen - tokens) / max(self.train_seconds - before, 1e-6)
        left = self.train_seconds / step * (self.spec.steps - step)
        rate = float(logs.get("learning_rate", 0))
        memory, seconds = peak_memory(), self.channel.seconds()
        self.channel.say(Step(step, self.spec.steps, loss, rate, norm, speed, memory, seconds, left))

    def _watch(self, step: int, loss: float) -> None:
        start = statistics.median(self.losses[:RECENT])
        recent = statistics.median(self.losses[-RECENT:])
        if not math.isfinite(loss) or (step > 2 * RECENT and recent > start + max(1.0, start / 2)):
            self._diverge(step, start, recent)
            return
        window = max(20, self.spec.steps // 5)
        if not 2 * window <= step <= 0.8 * self.spec.steps:
            return
        earlier = statistics.fmean(self.losses[-2 * window : -window])
        now = statistics.fmean(self.losses[-window:])
        if now > GOOD and now > earlier * (1 - FLAT):
            text = (
                f"Потери не падают уже {numbers.plural(window, 'шаг', 'шага', 'шагов')}: "
                f"около {numbers.decimal(now)}. Плато: попробуйте другую скорость обучения или больший ранг."
            )
            self._tell("plateau", text, step)

    def _diverge(self, step: int, start: float, recent: float) -> None:
        self.diverged = True
        went = (
            f"выросли с {numbers.decimal(start)} до {numbers.decimal(recent)}"
            if math.isfinite(recent) and math.isfinite(self.losses[-1])
            else "перестали быть числом"
        )
        self.channel.alarm("divergence", f"Обучение разошлось на шаге {step}: потери {went}.", step, fatal=True)

    def _overfitting(self, step: int) -> None:
        best = min(self.validation)
        if len(self.validation) < 3 or len(self.losses) < RECENT * 2:
            return
        rising = all(loss > best * WORSE for loss in self.validation[-2:])
        at_best = self.validation.index(best) * self.spec.evaluate_every
        then = self.losses[max(0, at_best - RECENT) : at_best] or self.losses[:RECENT]
        if rising and statistics.fmean(self.losses[-RECENT:]) < statistics.fmean(then):
            text = (
                f"Переобучение: потери на обучающих примерах падают, а на проверочных выросли "
                f"с {numbers.decimal(best)} до {numbers.decimal(self.validation[-1])}. "
                "Помогут больше примеров, меньше шагов или ранняя остановка."
            )
            self._tell("overfitting", text, step)

    def _patience(self, step: int) -> None:
        since = len(self.validation) - 1 - self.validation.index(min(self.validation))
        if self.spec.patience and since >= self.spec.patience and step < self.spec.steps:
            self.stopped_early = True
            checks = numbers.plural(since, "проверку", "проверки", "проверок")
            text = f"Ранняя остановка: проверочные потери не улучшались {checks}. Берём лучшие веса."
            self.channel.alarm("early_stop", text, step)

    def _tell(self, code: str, text: str, step: int) -> None:
        if code not in self._told:
            self._told.add(code)
            self.channel.alarm(code, text, step)
