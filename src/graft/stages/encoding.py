"""The work of `tokenize` on a batch, on whatever machine it is done."""

from functools import cache

import pyarrow as pa

from graft.config import ModelConfig, PromptConfig
from graft.data.tokenize.sequences import Outcome, Rules, to_sequences
from graft.prompts import Template, load_template


def encode(examples: pa.Table, model: ModelConfig, rules: Rules) -> Outcome:
    """Sequences of a table of examples."""
    return to_sequences(examples, template_of(model, rules.prompt), rules)


def template_of(model: ModelConfig, prompt: PromptConfig) -> Template:
    """The template of a model and a task, loaded once a process."""
    return _template(model.model_dump_json(), prompt.model_dump_json())


@cache
def _template(model: str, prompt: str) -> Template:
    return load_template(
        ModelConfig.model_validate_json(model), PromptConfig.model_validate_json(prompt)
    )
