"""The model that is registered in MLflow.

The artifact is the adapter's folder, its signature, and graft's code. The folder's
graft.json contains base model, prompt and quantization of training; MLflow's
model_config contains the decoding of the evaluation and the digests of the files.
Registered versions import this module by its name, so it must not move.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from graft.errors import ConfigError, GraftError
from graft.hardware.device import choose_device
from graft.inference.adapters import active_adapter
from graft.inference.batching import run_requests
from graft.inference.families import is_supported
from graft.inference.generation import PromptRow, complete, to_requests
from graft.inference.open_prompts import encode_open
from graft.inference.requests import GenerationRequest, TokensEvent
from graft.serving.base_folder import find_base
from graft.serving.checked_version import check_version, opens_documents
from graft.serving.model_inputs import to_conversations
from graft.serving.model_params import (
    DecodingParams,
    read_params,
    reject_unknown_params,
)
from graft.training.tuning import load_served

__all__ = ["AdaptedModel", "find_base"]


# MLflow constructs the object before it calls load_context, and inspects the signature
# of predict.
# pylint: disable=attribute-defined-outside-init,arguments-differ,abstract-method
class AdaptedModel(PythonModel):  # type: ignore[misc]  # mlflow is untyped
    """Completes texts and chats with the tuned model."""

    # Rows have several types, which MLflow's validation by type hints cannot express:
    # without hints, and with this switch, it leaves them to `to_conversations`.
    _skip_type_hint_validation = True

    def load_context(self, context: Any) -> None:
        """Load the base model of the adapter's record, and the adapter.

        Raises: ModelError if the base is not found or differs from that of training, or
            a file of the adapter was changed, or its signature does not match.
        """
        adapter = Path(context.artifacts["adapter"])
        checked = check_version(adapter, context.model_config)
        base = checked.base
        self.template, self.decoding = checked.template, checked.decoding
        self.opens_documents = opens_documents(checked.task)
        device = choose_device("auto", base.model, base.quantization)
        self.model = load_served(base.model, base.quantization, device, adapter)
        self._one_at_a_time = Lock()  # MLflow's server calls predict in threads
        reject_unknown_params()

    def predict(  # type: ignore[no-untyped-def]
        self, context: Any, model_input, params: dict[str, Any] | None = None
    ) -> list[str]:
        """Complete each text or chat, as in the evaluation if `params` change nothing.

        Args:
            context: MLflow's; unused.
            model_input: see `graft.serving.model_inputs.to_conversations`.
            params: see `graft.serving.model_params.DecodingParams`.
        Raises: MlflowException if input or parameters are not valid.
        """
        rows, chosen = self._read(model_input, params)
        decoding = chosen.of(self.decoding)
        with self._one_at_a_time:
            if not chosen.has_filters:
                prompts = [row.ids for row in rows]
                return complete(self.model, self.template, prompts, decoding).texts
            texts = dict.fromkeys(range(len(rows)), "")
            for event in self._events(rows, chosen):
                assert isinstance(event.key, int)
                texts[event.key] += event.text
            return list(texts.values())

    def predict_stream(  # type: ignore[no-untyped-def]
        self, context: Any, model_input, params: dict[str, Any] | None = None
    ) -> Iterator[str]:
        """Complete one text or chat; yields parts of the answer as they are certain.

        Args and raises: as `predict`.
        """
        rows, chosen = self._read(model_input, params)
        if len(rows) != 1:
            raise MlflowException.invalid_parameter_value("a stream has one answer")
        with self._one_at_a_time:
            yield from (e.text for e in self._events(rows, chosen) if e.text)

    def _read(
        self, model_input: Any, params: dict[str, Any] | None
    ) -> tuple[list[PromptRow], DecodingParams]:
        try:
            chosen = read_params(params)
            adapter = active_adapter(self.model)
            chats = to_conversations(model_input, self.opens_documents)
            prompts = [encode_open(self.template, chat) for chat in chats]
            rows = [PromptRow(ids, adapter, n) for n, ids in enumerate(prompts)]
        except GraftError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return rows, chosen

    def _events(
        self, rows: list[PromptRow], chosen: DecodingParams
    ) -> Iterator[TokensEvent]:
        """Answers as they are generated. Raises: MlflowException if this model
        generates in padded batches, which neither stream nor filter."""
        decoding = chosen.of(self.decoding)
        if decoding.num_beams > 1 or not is_supported(self.model):
            error = ConfigError(
                "this model",
                "neither streams nor samples from a part of the vocabulary",
                expected="a family with slots, evaluated without beam search",
                fix="call predict without top_p, top_k and min_p",
            )
            raise MlflowException.invalid_parameter_value(str(error))
        requests: list[GenerationRequest] = [
            replace(request, sampling=chosen.filtered(request.sampling))
            for request in to_requests(self.template, rows, decoding)
        ]
        yield from run_requests(
            self.model, requests, decoding.batch_size, decoding.weights
        )
