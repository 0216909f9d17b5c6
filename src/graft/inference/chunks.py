"""Outputs of models for held-out examples, chunk by chunk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from graft.inference.backends import Backend, ModelPass
from graft.inference.examples import HeldOutExample
from graft.inference.likelihood import negative_log_likelihoods
from graft.inference.run_journal import RunJournal

BATCHES_PER_CHUNK = 8
"""Rows of a chunk, in batches: at its end, slots stay empty."""


@dataclass(frozen=True)
class RowOutput:
    """What one model makes of one example.

    Args:
        text: the completion.
        num_tokens: of the completion, with its stop token.
        ms: from entering the batch to the end.
        nll: negative log-likelihood of the reference answer, in nats.
    """

    text: str
    num_tokens: int
    ms: float
    nll: float


class ChunkRunner:
    """Runs the examples through the models of a pass.

    Args:
        models: generate in the same batches.
        backend: completes their prompts.
        examples: with their references.
        prompts: token ids of the examples' prompts.
        batch_size: most prompts at once.
        journal: finished chunks are taken from it, and new ones are added.
    """

    def __init__(
        self,
        models: ModelPass,
        backend: Backend,
        examples: Sequence[HeldOutExample],
        prompts: Sequence[Sequence[int]],
        batch_size: int,
        journal: RunJournal,
    ) -> None:
        self._models, self._backend = models, backend
        self._examples, self._prompts = examples, prompts
        self._batch_size, self._journal = batch_size, journal
        self._names = list(models.adapters)

    def run(self) -> tuple[dict[str, list[RowOutput]], float]:
        """Outputs of each model in the order of the examples, and the seconds that
        their completions took."""
        found: dict[str, dict[int, RowOutput]] = {name: {} for name in self._names}
        seconds = 0.0
        # The longest first, so that a lack of memory is found at once.
        order = sorted(
            range(len(self._prompts)), key=lambda place: -len(self._prompts[place])
        )
        size = max(1, BATCHES_PER_CHUNK * self._batch_size // len(self._names))
        title = " and ".join(self._names)
        # disable=None: no bar if the output is not a terminal.
        total = len(order) * len(self._names)
        with tqdm(total=total, desc=title, unit="text", disable=None) as progress:
            for first in range(0, len(order), size):
                places = order[first : first + size]
                name = f"{'+'.join(self._names)}/{first}"
                part = self._journal.get(name)
                if part is None:
                    part = self._compute(places, progress)
                    self._journal.put(name, part)
                seconds += part["seconds"]
                for model, rows in part["rows"].items():
                    outputs = [RowOutput(**row) for row in rows]
                    found[model] |= dict(zip(places, outputs, strict=True))
                progress.n = (first + len(places)) * len(self._names)
                tokens = sum(r.num_tokens for f in found.values() for r in f.values())
                progress.set_postfix_str(f"{tokens / max(seconds, 1e-9):,.0f} tokens/s")
        in_order = range(len(order))
        return {n: [rows[i] for i in in_order] for n, rows in found.items()}, seconds

    def _compute(self, places: Sequence[int], progress: Any) -> dict[str, Any]:
        """The outputs of a chunk as values of JSON."""
        model, adapters = self._models.model, self._models.adapters
        # Both models' rows of an example are neighbours.
        rows = [(name, place) for place in places for name in self._names]
        finished, seconds = self._backend.complete(self._models, rows, progress.update)
        done = {row.row: row for row in finished}
        tokens = [
            (self._examples[place].input_ids, self._examples[place].loss_mask)
            for place in places
        ]
        outputs = {}
        for number, name in enumerate(self._names):
            nlls = negative_log_likelihoods(model, tokens, adapters[name])
            mine = [done[row] for row in range(number, len(rows), len(self._names))]
            outputs[name] = [
                asdict(
                    RowOutput(row.text, len(row.tokens), 1000 * row.seconds, float(nll))
                )
                for row, nll in zip(mine, nlls, strict=True)
            ]
        return {"seconds": seconds, "rows": outputs}
