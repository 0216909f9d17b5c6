"""The section `adapter`: which weights are trained."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Count, Fraction, Positive, Rate, Section


class AdapterConfig(Section):
    """Keys of all methods. `freeze_layers`: the first n layers are not trained."""

    method: str
    freeze_layers: Count


class LoraConfig(AdapterConfig):
    """Two low-rank matrices per linear layer; the base is frozen."""

    method: Literal["lora"]
    rank: Positive
    alpha: Rate
    dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    rslora: bool
    dora: bool


class FullConfig(AdapterConfig):
    """Full fine-tuning. `freeze_layers` also freezes the embeddings, unless they are
    tied to the output layer."""

    method: Literal["full"]


AnyAdapter = Annotated[LoraConfig | FullConfig, Field(discriminator="method")]
"""The section as in params.yaml."""
