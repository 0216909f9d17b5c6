"""The work of stage `tokenize` on one batch, in a local process or a Ray worker."""

from functools import cache

import pyarrow as pa

from graft.config import ModelConfig, PromptConfig
from graft.data.tokenize.sequences import (
    SequenceSettings,
    TokenizedTable,
    to_sequences,
)
from graft.prompts import Template, load_template


def encode(
    examples: pa.Table, model: ModelConfig, settings: SequenceSettings
) -> TokenizedTable:
    """Sequences and rejects of a table of examples."""
    return to_sequences(examples, template_of(model, settings.prompt), settings)


def template_of(model: ModelConfig, prompt: PromptConfig) -> Template:
    """The template of a model and a task, loaded once per process."""
    return _template(model.model_dump_json(), prompt.model_dump_json())


@cache
def _template(model: str, prompt: str) -> Template:
    return load_template(
        ModelConfig.model_validate_json(model), PromptConfig.model_validate_json(prompt)
    )
