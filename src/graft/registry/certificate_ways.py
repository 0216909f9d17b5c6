"""The ways in which a registered version can be used, each run as its users run it."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graft.config import ModelConfig, PromptConfig, QuantizationConfig
from graft.errors import ModelError
from graft.inference.adapters import active_adapter
from graft.inference.batching import ContinuousBatch
from graft.inference.families import is_supported
from graft.inference.generation import PromptRow, finished_rows, to_requests
from graft.inference.next_tokens import next_token_logprobs
from graft.inference.open_prompts import encode_open
from graft.inference.results import Decoding
from graft.prompts import Template
from graft.records import Message
from graft.registry.certificate import Logprobs, WayAnswers
from graft.registry.certificate_exports import adapter_answers, merged_answers
from graft.registry.certificate_pyfunc import PyfuncProcess
from graft.training.tuning import load_served

REPORTED = 256
"""Most likely tokens whose log-probabilities the API's engine reports."""


@dataclass(frozen=True)
class CertifiedVersion:
    """A registered version on this machine.

    Args:
        folder: MLflow's, as downloaded.
        adapter: in it.
        model: its base, at the path where it was found.
        slots, length: of the batch that `graft serve` runs.
        opens_documents: whether its prompts are the beginnings of documents.
    """

    folder: Path
    adapter: Path
    model: ModelConfig
    prompt: PromptConfig
    quantization: QuantizationConfig
    template: Template
    decoding: Decoding
    device: str
    slots: int
    length: int
    opens_documents: bool = False


class Ways:
    """Runs the ways on the same chats.

    Args:
        version: on this machine.
        chats: prompts; a single turn of the assistant is the beginning of a document.
        num_places: generated tokens whose distributions are compared.
        scratch: folder for exports.
        process: that answers by MLflow; None: this way is not run.
    """

    def __init__(
        self,
        version: CertifiedVersion,
        chats: Sequence[Sequence[Message]],
        num_places: int,
        scratch: Path,
        process: PyfuncProcess | None = None,
    ) -> None:
        self._version, self._chats = version, chats
        self._num_places, self._scratch = num_places, scratch
        self._process = process
        self._prompts = [encode_open(version.template, chat) for chat in chats]
        self._loaded: Any = None

    def all(self) -> Mapping[str, Callable[[], WayAnswers]]:
        """Name → what runs it, those that share a loaded model first.

        The process that answers by MLflow is the last, and works beside the others.
        """
        return {
            "evaluation": self.evaluation,
            "api": self.api,
            "adapter": self.adapter,
            "merged": self.merged,
            "pyfunc": self.pyfunc,
        }

    def begin(self) -> None:
        """Compute what every way needs, and let MLflow's process answer meanwhile.

        On a GPU it waits until this process has freed the memory.
        """
        assert self.reference
        if self._version.device == "cpu":
            self._ask()

    @cached_property
    def generated(self) -> tuple[list[str], list[list[int]]]:
        """Texts and tokens of the evaluation's engine."""
        version, model = self._version, self._model()
        adapter = active_adapter(model)
        rows = [PromptRow(ids, adapter, n) for n, ids in enumerate(self._prompts)]
        texts, tokens = [""] * len(rows), [list[int]() for _ in rows]
        for done in finished_rows(model, version.template, rows, version.decoding):
            texts[done.row], tokens[done.row] = done.text, done.tokens
        return texts, [ids[: self._num_places] for ids in tokens]

    @cached_property
    def reference(self) -> list[Logprobs]:
        """Distributions of the evaluation's engine, along its own tokens."""
        model = self._model()
        adapter = active_adapter(model)
        return next_token_logprobs(model, self._sequences, self._starts, adapter)

    def evaluation(self) -> WayAnswers:
        """The engine of stage generate."""
        return WayAnswers(self.generated[0], self.reference)

    def api(self) -> WayAnswers:
        """The batch that `graft serve` runs, with what it reports of likely tokens.

        Raises: ModelError if the model cannot be served.
        """
        version, model = self._version, self._model()
        if not is_supported(model) or version.decoding.num_beams > 1:
            raise ModelError(str(version.adapter), "cannot be served by graft serve")
        adapter = active_adapter(model)
        rows = [PromptRow(ids, adapter, n) for n, ids in enumerate(self._prompts)]
        batch = ContinuousBatch(model, version.slots, version.length)
        size = model.config.vocab_size
        for request in to_requests(version.template, rows, version.decoding):
            batch.add(replace(request, logprobs=min(REPORTED, size)))
        batch.close()
        texts: dict[Any, str] = dict.fromkeys(range(len(rows)), "")
        events: dict[Any, list[Any]] = {row: [] for row in texts}
        for event in batch.events():
            texts[event.key] += event.text
            events[event.key] += zip(event.tokens, event.logprobs)
        logprobs = [
            _to_array(events[row], tokens, size)
            for row, tokens in enumerate(self.generated[1])
        ]
        return WayAnswers(list(texts.values()), logprobs)

    def pyfunc(self) -> WayAnswers:
        """`mlflow.pyfunc` in a fresh process, with the code of the version itself.

        Raises: ModelError if the process fails.
        """
        assert self._process is not None
        self.release()
        self._ask()
        return self._process.answers()

    def adapter(self) -> WayAnswers:
        """`graft export` in plain transformers and PEFT."""
        self.release()
        return adapter_answers(
            self._version, self._chats, self._sequences, self._starts, self._scratch
        )

    def merged(self) -> WayAnswers:
        """`graft export --merge` in plain transformers."""
        self.release()
        return merged_answers(
            self._version, self._chats, self._sequences, self._starts, self._scratch
        )

    def release(self) -> None:
        """Free the model's memory, after what the other ways need of it."""
        assert self.reference
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _ask(self) -> None:
        if self._process is not None:
            self._process.ask(
                self._version.folder, self._chats, self._sequences, self._starts
            )

    def _model(self) -> Any:
        if self._loaded is None:
            one = self._version
            self._loaded = load_served(
                one.model, one.quantization, one.device, one.adapter
            )
        return self._loaded

    @property
    def _sequences(self) -> list[list[int]]:
        pairs = zip(self._prompts, self.generated[1], strict=True)
        return [[*prompt, *tokens] for prompt, tokens in pairs]

    @property
    def _starts(self) -> list[int]:
        return [len(prompt) for prompt in self._prompts]


def _to_array(
    reported: Sequence[tuple[int, Any]], tokens: Sequence[int], size: int
) -> Logprobs:
    """Reported log-probabilities as long as the tokens before are the same."""
    rows = []
    for (token, found), expected in zip(reported, tokens):
        row = np.full(size, np.nan, np.float32)
        for number, value in found.likely:
            row[number] = value
        rows.append(row)
        if token != expected:
            break
    return np.stack(rows) if rows else np.zeros((0, size), np.float32)
