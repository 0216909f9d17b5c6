"""A model's tokenizer files: what is missing is found elsewhere, or refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_tokenizers import CHATML, assistant, load, user

from graft.errors import TemplateError

PATTERN = "Q: {source}\nA:"
CHAT = [user("2+2?"), assistant("4.")]


def change(file: Path, **values: Any) -> None:
    """Set keys of a JSON object; None removes one."""
    content = json.loads(file.read_text()) if file.is_file() else {}
    content |= values
    kept = {key: value for key, value in content.items() if value is not None}
    file.write_text(json.dumps(kept))


@pytest.mark.parametrize(
    "config",
    [
        {"eos_token_id": 2, "bos_token_id": 0},
        {"eos_token_id": [2, 0]},
        {"text_config": {"eos_token_id": 2}},
    ],
)
def test_the_end_is_the_models_own_where_the_tokenizer_names_only_others(
    qwen: Path, config: dict[str, Any]
) -> None:
    expected = load(qwen, pattern=PATTERN).encode([CHAT])
    change(qwen / "tokenizer_config.json", eos_token=None)
    change(qwen / "config.json", **config)
    template = load(qwen, pattern=PATTERN)
    assert template.encode([CHAT]) == expected and template.eos_id == 2


@pytest.mark.parametrize("number", [True, 99_999, "2", []])
def test_an_invalid_eos_token_id_is_ignored(qwen: Path, number: Any) -> None:
    change(qwen / "tokenizer_config.json", eos_token=None)
    change(qwen / "config.json", eos_token_id=number)
    with pytest.raises(TemplateError, match="no end token"):
        load(qwen, pattern=PATTERN)


def test_a_processors_chat_template_is_read(qwen: Path) -> None:
    expected = load(qwen).encode([CHAT])
    change(qwen / "tokenizer_config.json", chat_template=None)
    with pytest.raises(TemplateError, match="no chat template"):
        load(qwen)
    change(qwen / "chat_template.json", chat_template=CHATML)
    assert load(qwen).encode([CHAT]) == expected


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tokenizer_config.json", b"[]", "not an object"),
        ("tokenizer.json", b"{}", "is not a tokenizer"),
        ("chat_template.jinja", b"\xff\xfe", "can't decode"),
        ("chat_template.jinja", b"{{ 1 // 0 }}", "refuses this conversation"),
        ("chat_template.jinja", b"{{ range(10 ** 9) }}", "refuses this conversation"),
        (
            "chat_template.jinja",
            b"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "refuses this conversation",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    qwen: Path, name: str, content: bytes, problem: str
) -> None:
    (qwen / name).write_bytes(content)
    with pytest.raises(TemplateError, match=problem):
        load(qwen)


@pytest.mark.parametrize("named", [[{"name": "default"}], {"default": None}])
def test_named_templates_without_a_default_count_as_no_template(
    qwen: Path, named: Any
) -> None:
    change(qwen / "tokenizer_config.json", chat_template=named)
    with pytest.raises(TemplateError, match="no chat template"):
        load(qwen)
