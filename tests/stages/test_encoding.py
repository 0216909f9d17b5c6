"""A worker encodes with nothing but what it was sent."""

import pickle
import shutil
from pathlib import Path

import pytest
from dirty_rows import TOKENIZE, make_tokenizer
from settings import PROMPT

from graft.config import ModelConfig, PromptConfig
from graft.data.tokenize.sequences import SequenceSettings
from graft.stages.encoding import Encoding

CHAT = PROMPT.model_copy(update={"style": "chat", "pattern": None})
JINJA = """{% for message in messages -%}
{{ message.role }}: {{ message.content }}{{ eos_token }}
{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"""


def sent(model: ModelConfig, prompt: PromptConfig) -> tuple[str, bytes]:
    """The hash of a template, and a pickled `Encoding` with it."""
    encoding = Encoding(model, SequenceSettings(TOKENIZE, prompt))
    return encoding.template.hash, pickle.dumps(encoding)


@pytest.mark.parametrize("prompt", (PROMPT, CHAT), ids=("pattern", "chat"))
def test_a_machine_without_the_model_has_the_same_template(
    tmp_path: Path, prompt: PromptConfig
) -> None:
    folder = tmp_path / "model"
    model = make_tokenizer(folder)
    (folder / "chat_template.jinja").write_text(JINJA, encoding="utf-8")
    expected, pickled = sent(model, prompt)
    shutil.rmtree(folder)
    assert pickle.loads(pickled).template.hash == expected


def test_weights_are_not_sent(tmp_path: Path) -> None:
    model = make_tokenizer(tmp_path / "model")
    _, small = sent(model, PROMPT)
    (tmp_path / "model/model.safetensors").write_bytes(bytes(1_000_000))
    assert len(sent(model, PROMPT)[1]) == len(small)


def test_an_official_tokenizer_is_that_of_the_package_there(tmp_path: Path) -> None:
    model = make_tokenizer(tmp_path / "model")
    official = model.model_copy(update={"tokenizer": "mistral-common:v3"})
    expected, pickled = sent(official, CHAT)
    shutil.rmtree(tmp_path / "model")
    assert pickle.loads(pickled).template.hash == expected
