"""MLflow's `params` → how the registered model decodes."""

import ast
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graft.errors import ConfigError
from graft.inference.requests import Sampling
from graft.inference.results import Decoding

_DROPPED = re.compile(
    r"Unrecognized params (\[.*?\]) .*Supported params are: ({.*?})\."
)


class DecodingParams(BaseModel):
    """Parameters of one call. Those that are left out are the evaluation's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    stop: list[Annotated[str, Field(min_length=1)]] | None = None

    def of(self, evaluated: Decoding) -> Decoding:
        """The decoding of the evaluation, with the parameters that it knows."""
        named = ("max_new_tokens", "temperature", "seed", "stop")
        given = {name: getattr(self, name) for name in named}
        return replace(
            evaluated, **{name: v for name, v in given.items() if v is not None}
        )

    def filtered(self, sampling: Sampling) -> Sampling:
        """A row's sampling, from the tokens that the filters leave."""
        return replace(sampling, top_p=self.top_p, top_k=self.top_k, min_p=self.min_p)

    @property
    def has_filters(self) -> bool:
        """Whether sampling leaves out tokens."""
        return (self.top_p, self.top_k, self.min_p) != (1.0, 0, 0.0)


def read_params(params: Mapping[str, Any] | None) -> DecodingParams:
    """Validate the parameters of a call. Raises: ConfigError with all errors."""
    try:
        return DecodingParams.model_validate(dict(params or {}))
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        ]
        raise _refused("; ".join(lines)) from error


class UnknownParams(logging.Filter):
    """Raises an error where MLflow would ignore parameters with a warning.

    MLflow removes what the signature does not name before the model sees it; a filter
    of its logger is the only place that hears of it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Raises: MlflowException if parameters of a model like this were ignored."""
        from mlflow.exceptions import MlflowException

        dropped = _DROPPED.search(record.getMessage())
        if dropped and set(ast.literal_eval(dropped[2])) == set(_NAMES):
            names = ", ".join(sorted(ast.literal_eval(dropped[1])))
            error = _refused(f"unknown: {names}")
            raise MlflowException.invalid_parameter_value(str(error))
        return True


def reject_unknown_params() -> None:
    """Let unknown parameters of models of graft be errors, in this process."""
    logger = logging.getLogger("mlflow.models.utils")
    if not any(isinstance(one, UnknownParams) for one in logger.filters):
        logger.addFilter(UnknownParams())
    logger.setLevel(logging.WARNING)  # graft's own client of the store silences MLflow


_NAMES = tuple(DecodingParams.model_fields)


def _refused(problem: str) -> ConfigError:
    return ConfigError(
        "params", problem, expected=f"of {', '.join(_NAMES)}", fix="correct the call"
    )
