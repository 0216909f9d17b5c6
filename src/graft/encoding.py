"""The work of `tokenize` on a batch, on whatever machine it is done."""

from functools import cache

import pyarrow as pa

from graft.config import ModelConfig
from graft.data.sequences import Outcome, Rules, to_sequences
from graft.prompts import Template, load_template


def encode(examples: pa.Table, model: ModelConfig, rules: Rules) -> Outcome:
    """Sequences of a table of examples; each process loads the template once."""
    template = _template(model.model_dump_json(), rules.prompt.model_dump_json())
    return to_sequences(examples, template, rules)


@cache
def _template(model: str, prompt: str) -> Template:
    from graft.config import PromptConfig

    return load_template(
        ModelConfig.model_validate_json(model), PromptConfig.model_validate_json(prompt)
    )
