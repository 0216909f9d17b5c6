"""The section `adapter`: what of a model is trained."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Count, Fraction, Positive, Rate, Section


class AdapterConfig(Section):
    """What all methods have. `freeze_layers` keeps the first n layers as they are."""

    method: str
    freeze_layers: Count


class LoraConfig(AdapterConfig):
    """Two thin matrices beside each linear layer; the base stays as it is."""

    method: Literal["lora"]
    rank: Positive
    alpha: Rate
    dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    rslora: bool
    dora: bool


class FullConfig(AdapterConfig):
    """All weights. With `freeze_layers` embeddings stay too, unless they are also the
    output layer."""

    method: Literal["full"]


AnyAdapter = Annotated[LoraConfig | FullConfig, Field(discriminator="method")]
"""As params.yaml has it."""
