"""What is seen while training runs: a bar in a terminal, elsewhere a line at times."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import TracebackType
from typing import Self

import torch
from tqdm import tqdm

from graft.training.checkpoints import Progress


class Meter:
    """Means since they were last read, and the progress bar.

    Tokens are real ones: a packed row has no padding. Validation is not counted in
    their rate. `shown`: whether anything of it is.
    """

    def __init__(
        self, num_steps: int, progress: Progress, *, shown: bool = True
    ) -> None:
        self._shown = shown
        self._bar = tqdm(
            total=num_steps,
            initial=progress.step,
            desc="train",
            unit="step",
            # No bar where the output is no terminal.
            disable=None if shown else True,
        )
        self._losses: list[float] = []
        self._norms: list[float] = []
        self._rate = 0.0
        self._tokens = 0
        self._start = perf_counter()
        self._validation = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def add(self, loss: float, norm: float, rate: float, num_tokens: int) -> None:
        """Count a step."""
        self._losses.append(loss)
        self._norms.append(norm)
        self._rate = rate
        self._tokens += num_tokens
        speed = self._tokens / (perf_counter() - self._start)
        self._bar.set_postfix_str(
            f"{speed:,.0f} tok/s, loss {loss:.3f}{self._validation}"
        )
        self._bar.update()

    def read(self) -> dict[str, float]:
        """Means of the steps since the last reading, which is then forgotten."""
        seconds = perf_counter() - self._start
        values = {
            "loss": sum(self._losses) / len(self._losses),
            "gradient_norm": sum(self._norms) / len(self._norms),
            "learning_rate": self._rate,
            "tokens_per_s": self._tokens / seconds,
        }
        if torch.cuda.is_available():
            values["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
        self._losses, self._norms, self._tokens = [], [], 0
        self._start = perf_counter()
        return values

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time in here is not training."""
        start = perf_counter()
        yield
        self._start += perf_counter() - start

    def show_validation(self, progress: Progress, loss: float) -> None:
        """Tell of a validation, in the bar or as a line."""
        best = " (best)" if progress.best_step == progress.step else ""
        self._validation = f", validation {loss:.3f}{best}"
        if self._bar.disable and self._shown:
            line = f"train: step {progress.step}/{self._bar.total}{self._validation}"
            print(line, file=sys.stderr, flush=True)
