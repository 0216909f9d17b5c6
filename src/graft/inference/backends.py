"""What completes the prompts of base and tuned model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from graft.inference.generation import (
    FinishedRow,
    PromptRow,
    TextEnds,
    finished_rows,
)
from graft.inference.results import Decoding

ModelRow = tuple[str, int]
"""The name of a model, and the place of an example."""


@dataclass(frozen=True)
class ModelPass:
    """Models that generate in the same batches.

    Args:
        model: holds their weights.
        adapters: the adapter of each, by the model's name; None: the base alone.
    """

    model: Any
    adapters: Mapping[str, str | None]


class Backend(Protocol):
    """Completes prompts; likelihoods and latencies are not its work."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of what it runs, besides graft's own libraries."""

    def check(self, models: ModelPass) -> None:
        """Called once before the completions of a pass.

        Raises: ModelError if they are not those of its models.
        """

    def complete(
        self, models: ModelPass, rows: Sequence[ModelRow], update: Callable[[], object]
    ) -> tuple[list[FinishedRow], float]:
        """The completion of each row, in any order, and their duration in seconds.

        Args:
            models: the pass.
            rows: of models of the pass; those of an example are neighbours.
            update: called once for each row.
        """


@dataclass(frozen=True)
class EngineBackend:
    """graft's own engine, with the models of the pass.

    Args:
        template: decodes tokens.
        prompts: token ids, by place.
        decoding: how completions are made.
    """

    template: TextEnds
    prompts: Sequence[Sequence[int]]
    decoding: Decoding
    versions: Mapping[str, str] = field(default_factory=dict)

    def check(self, models: ModelPass) -> None:
        """Nothing: it runs the very models that are checked."""

    def complete(
        self, models: ModelPass, rows: Sequence[ModelRow], update: Callable[[], object]
    ) -> tuple[list[FinishedRow], float]:
        """As `Backend`."""
        prompts = [
            PromptRow(self.prompts[place], models.adapters[name], place)
            for name, place in rows
        ]
        start, done = perf_counter(), []
        for row in finished_rows(models.model, self.template, prompts, self.decoding):
            done.append(row)
            update()
        return done, perf_counter() - start
