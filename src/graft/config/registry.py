"""The section `registry`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from graft.config.secrets import without_secret
from graft.config.section import Section


def _matches(pattern: str, rule: str) -> AfterValidator:
    """A validator of a complete text, with the rule as its error message."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(rule)
        return text

    return AfterValidator(check)


def _public(address: str) -> str:
    """Raises: ValueError if an address contains credentials."""
    if without_secret(address) != address:
        raise ValueError(
            "contains a user, password or token, which git would store; write the "
            "address without them, and set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or the complete address as MLFLOW_TRACKING_URI, "
            "in the environment"
        )
    return address


class RegistryConfig(Section):
    """The name of the registered model, and the MLflow experiment of its runs.

    MLflow rejects names of models with / or :, which are separators in the addresses of
    models (models:/NAME/VERSION, models:/NAME@ALIAS), but only when a version is
    registered.
    """

    name: Annotated[
        str,
        _matches(
            r"\w(?:[\w .-]{0,198}[\w.-])?",
            "a name of a model has 1 to 200 letters, digits, spaces and . _ -; MLflow "
            "rejects / and :",
        ),
    ]
    experiment: Annotated[
        str,
        _matches(
            r"\S(?:.{0,248}\S)?",
            "the name of an experiment has 1 to 250 characters on one line, without "
            "spaces at either end",
        ),
    ]
    tracking_uri: Annotated[
        str,
        _matches(r"\S(?:.*\S)?", "an address is one line without spaces at either end"),
        AfterValidator(_public),
    ]


class GateConfig(Section):
    """What a version must show to become champion (docs/REGISTRY.md).

    `guardrails` maps metrics to the loss that is tolerated, in the unit of the metric.
    Ratios are those of the challenger to the champion; null: not checked.
    """

    metric: str | None
    min_gain: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    guardrails: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    max_attempts: Annotated[int, Field(ge=1, le=1000)]
    max_latency_ratio: Annotated[float, Field(gt=0)] | None
    max_memory_ratio: Annotated[float, Field(gt=0)] | None
    require_certificate: bool
    num_resamples: Annotated[int, Field(ge=1000)]

    @model_validator(mode="after")
    def _later_attempts_are_decidable(self) -> Self:
        # Their intervals have 2.5 % / (max_attempts - 1) below them: ten resamples.
        if self.num_resamples < (least := 400 * (self.max_attempts - 1)):
            raise ValueError(
                f"num_resamples must be at least {least} for max_attempts "
                f"{self.max_attempts}"
            )
        return self


class GatedRegistryConfig(RegistryConfig):
    """The registry, and how a version becomes champion.

    `promote: auto`: stage certify decides at its end; manual: only `graft promote`.
    """

    promote: Literal["auto", "manual"]
    gate: GateConfig
