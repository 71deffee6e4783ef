"""Our ears inside transformers: what its trainer and its ``generate`` call while they work.

Leaves out what is made of it (``progress``).
"""
# ruff: noqa: ARG002 - transformers fixes the signatures

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demos.finetuning.progress import Progress
from demos.finetuning.spec import RunSpec


def connect(progress: Progress, spec: RunSpec) -> Any:
    """A ``TrainerCallback`` that tells ``progress``, stops when it says so, and keeps the best weights for patience."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is Any here
        """Hangs on the trainer."""

        best: dict[str, Any] | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """The clock starts."""
            progress.resume()

        def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Between accumulated batches."""
            progress.channel.check()

        def on_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            """AdaLoRA moves its rank budget while the gradients are still there: the trainer does not do it."""
            if spec.method == "adalora":
                model.base_model.update_and_allocate(state.global_step + 1)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Nobody reads any more?"""
            progress.channel.check()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            """A step's numbers; the trainer logs evaluations here as well."""
            if logs and "loss" in logs:
                progress.logged(state.global_step, logs)
                control.should_training_stop = control.should_training_stop or progress.stop

        def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Within an evaluation."""
            progress.channel.check()

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, model: Any = None, **kwargs: Any
        ) -> None:
            """A validation loss."""
            progress.evaluated(state.global_step, float(metrics["eval_loss"]))
            control.should_training_stop = control.should_training_stop or progress.stop
            if spec.patience and progress.is_best:
                self.best = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

        def restore(self, model: Any) -> None:
            """After an early stop: the weights of the best validation loss."""
            if progress.stopped_early and self.best:
                model.load_state_dict(self.best, strict=False)

    return Reporter()


def asking(check: Callable[[], None]) -> Any:
    """A ``StoppingCriteria`` that calls ``check`` for every token and never stops by itself."""
    import torch
    from transformers import StoppingCriteria

    class Asking(StoppingCriteria):  # type: ignore[misc]  # transformers is Any here
        """Raises what ``check`` raises."""

        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
            """(rows,) of False."""
            check()
            return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    return Asking()
