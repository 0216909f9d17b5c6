"""The YAMLs of configs/model are pinned, and their templates load where possible."""

import re
from pathlib import Path

import pytest
import yaml
from settings import CHAT

from graft.config import ModelConfig
from graft.prompts import load_template

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "model").glob("*.yaml"))


def read(path: Path) -> ModelConfig:
    return ModelConfig(**yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_base_model_is_pinned_to_its_content(path: Path) -> None:
    model = read(path)
    digits = 16 if model.path.startswith("models/") else 40
    assert re.fullmatch(rf"[0-9a-f]{{{digits}}}", model.revision)


@pytest.mark.parametrize("name", ["mistral-7b-v0.3", "mistral-7b-instruct-v0.3"])
def test_mistral_needs_no_download_to_be_tokenized(name: str) -> None:
    (path,) = [path for path in CONFIGS if path.stem == name]
    template = load_template(read(path), CHAT)
    assert template.vocab_size == 32_768
    ids = template.encode_prompt([{"role": "user", "content": "2+2?"}])
    assert template.show(ids) == "<s>[INST] 2+2?[/INST]"
