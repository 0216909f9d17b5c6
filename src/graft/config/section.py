"""The base class and number types of all sections of params.yaml."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""Accepted by NumPy, torch and transformers."""


class Section(BaseModel):
    """Base class of every section: frozen, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
