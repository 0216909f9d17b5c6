"""The section `model`."""

from typing import Literal

from graft.config.section import Positive, Section


class ModelConfig(Section):
    """A base model: a folder or a Hub id, and the revision that identifies its
    content."""

    path: str
    revision: str
    tokenizer: str | None
    num_parameters: Positive
    dtype: Literal["bfloat16", "float16", "float32"]
    license: str | None
