"""Metrics of a running training, and its progress bar; log lines without a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import fmean
from time import perf_counter
from typing import Any

import torch
from tqdm import tqdm

from graft.planning.speed import MfuReference
from graft.training.checkpoints import Progress

MACHINE_METRICS = {"train/tokens_per_s", "train/mfu", "train/memory_gib"}
"""Metrics that are logged, but not written to the curves, as they differ each time."""


@dataclass(frozen=True)
class StepStats:
    """The measurements of one optimizer step.

    Attributes:
        loss: mean over its trained tokens, in nats.
        norm: of the gradient, before clipping.
        rate: learning rate.
        tokens, trained: tokens of all its micro-batches; those that carry loss.
        capacity: of its sequences, in tokens.
    """

    loss: float
    norm: float
    rate: float
    tokens: int
    trained: int
    capacity: int


class Meter:
    """Means of the metrics since the last reading, and the progress bar.

    Packed rows have no padding, so all tokens count. Time spent in validation does
    not. `shown`: whether the bar is displayed. `mfu_reference`: None: no `mfu`.
    """

    def __init__(
        self,
        num_steps: int,
        progress: Progress,
        mfu_reference: MfuReference | None = None,
        *,
        shown: bool = True,
    ) -> None:
        self._shown, self._mfu_reference = shown, mfu_reference
        self._bar = tqdm(
            total=num_steps,
            initial=progress.step,
            desc="train",
            unit="step",
            # No bar unless the output is a terminal.
            disable=None if shown else True,
        )
        self._steps = [StepStats(**one) for one in progress.unlogged]
        self._restored = len(self._steps)  # another process has measured them
        self._start = perf_counter()
        self._validation = ""

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def add(self, step: StepStats) -> None:
        """Count a step."""
        self._steps.append(step)
        tokens = sum(step.tokens for step in self._steps[self._restored :])
        speed = tokens / (perf_counter() - self._start)
        self._bar.set_postfix_str(
            f"{speed:,.0f} tok/s, loss {step.loss:.3f}{self._validation}"
        )
        self._bar.update()

    def read(self) -> dict[str, float]:
        """Means over the steps since the last reading, which are then reset."""
        seconds = perf_counter() - self._start
        steps = self._steps
        timed = steps[self._restored :]
        tokens = sum(step.tokens for step in steps)
        values = {
            "loss": fmean(step.loss for step in steps),
            "gradient_norm": fmean(step.norm for step in steps),
            "learning_rate": steps[-1].rate,
            "packing_efficiency": tokens / sum(step.capacity for step in steps),
            "tokens_per_s": sum(step.tokens for step in timed) / seconds,
        }
        if self._mfu_reference:
            counts = (sum(s.tokens for s in timed), sum(s.trained for s in timed))
            values["mfu"] = self._mfu_reference.mfu(*counts, seconds)
        if torch.cuda.is_available():
            values["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
        self._steps, self._restored = [], 0
        self._start = perf_counter()
        return values

    def unlogged(self) -> list[dict[str, Any]]:
        """The steps since the last reading, for a checkpoint."""
        return [asdict(step) for step in self._steps]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time spent in this context."""
        start = perf_counter()
        yield
        self._start += perf_counter() - start

    def show_validation(self, progress: Progress, loss: float) -> None:
        """Show a validation loss, in the bar or as a line."""
        best = " (best)" if progress.best_step == progress.step else ""
        self._validation = f", validation {loss:.3f}{best}"
        if self._bar.disable and self._shown:
            line = f"train: step {progress.step}/{self._bar.total}{self._validation}"
            print(line, file=sys.stderr, flush=True)
