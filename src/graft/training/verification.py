"""Checks during training: gradients before the first step and after the first
validation, and the weights that the first steps change."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from torch import Tensor

from graft.config import TrainConfig
from graft.training.batches import PackedDocuments
from graft.training.first_steps import FirstSteps
from graft.training.forward import PreparedModel
from graft.training.gradient_check import check_gradients


class Verification:
    """The checks of one training. They raise ModelError.

    Args:
        prepared: the model.
        documents: the training data.
        config: the `train` section.
        weights: the trained weights by name.
        optimizer: of these weights.
        without_dropout: the context in which the loop validates.
    """

    def __init__(
        self,
        prepared: PreparedModel,
        documents: PackedDocuments,
        config: TrainConfig,
        weights: Mapping[str, Tensor],
        optimizer: Any,
        without_dropout: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._prepared, self._documents, self._config = prepared, documents, config
        self._weights, self._optimizer = weights, optimizer
        self._without_dropout = without_dropout
        self._first_steps: FirstSteps | None = None
        self._checks = 0

    def begin(self) -> None:
        """Check the gradients, and start checking the first steps."""
        idle = self._check("before the first step")
        trained = self._prepared.trained
        self._first_steps = FirstSteps(
            self._prepared.model, self._weights, trained, self._optimizer, idle
        )

    def after_validation(self, step: int) -> None:
        """Check the gradients again, once: validation may leave a model in a state in
        which gradients are wrong."""
        if self._checks < 2:
            self._check(f"after the validation of step {step}")

    @contextmanager
    def watch_update(self) -> Iterator[None]:
        """Check what an optimizer step changes, if it is one of the first."""
        if (watched := self._first_steps) is None:
            yield
            return
        watched.before_update()
        yield
        watched.after_update()
        if watched.is_over:
            self._first_steps = None

    def _check(self, where: str) -> frozenset[str]:
        """Check the gradients on the first micro-batch of the first step. Returns the
        names of weights whose gradient is rightly zero."""
        config = self._config
        batches = self._documents.step(
            0, config.global_batch_size, config.micro_batch_size, config.seed
        )
        self._checks += 1
        with self._without_dropout():
            checked = check_gradients(
                self._prepared.model,
                self._prepared.forward,
                self._documents,
                batches[0].tolist(),
                self._weights,
                self._prepared.dtype,
                where,
            )
        return checked.idle
