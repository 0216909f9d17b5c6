"""Prompts of transformers from exported tokenizer files, compared with graft's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hub_folders import save_bpe, save_pieces
from settings import model_in
from small_tokenizers import render

from graft.config import ModelConfig, PromptConfig
from graft.exporting.prompt import CHAT_TEMPLATE, write_prompt
from graft.prompts import Template, load_template
from graft.records import Message


@pytest.fixture
def model(tmp_path: Path) -> ModelConfig:
    folder = tmp_path / "model"
    folder.mkdir()
    return model_in(folder)


def prompt(style: Any, pattern: str | None, system: str | None = None) -> PromptConfig:
    return PromptConfig(
        style=style,
        pattern=pattern,
        system=system,
        paraphrases=[],
        num_paraphrases=0,
        date=None,
    )


def write(
    model: ModelConfig, settings: PromptConfig, out: Path
) -> tuple[Template, str]:
    template = load_template(model, settings)
    out.mkdir()
    return template, write_prompt(model, settings, template, out)


@pytest.mark.parametrize(
    "writes", ["strftime_now('%d %b %Y')", "date_string | default('26 Jul 2024')"]
)
def test_an_exported_chat_template_writes_the_recorded_date(
    model: ModelConfig, tmp_path: Path, writes: str
) -> None:
    folder = Path(model.path)
    save_bpe(folder, chat=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    jinja = f"Today: {{{{ {writes} }}}}\n{config.pop('chat_template')}"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / CHAT_TEMPLATE).write_text(jinja)
    settings = prompt("chat", None).model_copy(update={"date": "2026-01-31"})
    template, differs = write(model, settings, tmp_path / "out")
    assert differs == ""
    shown = render(template, [Message(role="user", content="Hi")])
    assert "Today: 31 Jan 2026" in shown


@pytest.mark.parametrize(
    ("style", "pattern", "system"),
    [
        ("pattern", "English: {source}\nFrench:", None),
        ("pattern", "{system}\nQ: {source} {{x}} \"é'\n", None),
        ("pattern", "{system} {source}", 'Be "brief".\nToujours 😀 {source}'),
        ("chat", None, None),
        ("chat", None, "Be brief."),
    ],
)
def test_the_exported_chat_template_gives_the_ids_of_training(
    model: ModelConfig, tmp_path: Path, style: Any, pattern: str | None, system: Any
) -> None:
    from transformers import AutoTokenizer

    save_bpe(Path(model.path), chat=True)
    out = tmp_path / "out"
    template, differs = write(model, prompt(style, pattern, system), out)
    assert differs == ""
    tokenizer = AutoTokenizer.from_pretrained(out)
    chat = [
        Message(role="user", content="The {source} cat?"),
        Message(role="assistant", content="Le chat."),
        Message(role="user", content="{{ 1 }}"),
    ]
    found = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, tokenize=False
    )
    assert found == render(template, chat)


def test_a_pattern_replaces_the_chat_template_that_training_did_not_use(
    model: ModelConfig, tmp_path: Path
) -> None:
    save_bpe(Path(model.path), chat=True)
    write(model, prompt("pattern", "Q: {source}"), tmp_path / "out")
    assert "Q: " in (tmp_path / "out" / CHAT_TEMPLATE).read_text()
    config = (tmp_path / "out" / "tokenizer_config.json").read_text()
    assert "chat_template" not in config and "eos_token" in config


def test_a_tokenizer_that_transformers_reads_differently_is_reported(
    model: ModelConfig, tmp_path: Path
) -> None:
    save_pieces(Path(model.path))
    _, differs = write(model, prompt("pattern", "Q: {source}\nA:"), tmp_path / "out")
    assert differs


@pytest.mark.parametrize("bos", [True, False])
def test_an_exported_pattern_begins_with_bos_where_training_did(
    model: ModelConfig, tmp_path: Path, bos: bool
) -> None:
    folder = Path(model.path)
    save_bpe(folder, chat=False)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"add_bos_token": bos, "bos_token": config.get("bos_token", "<unk>")}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    settings = prompt("pattern", "Q: {source}\nA:")
    template, differs = write(model, settings, tmp_path / "out")
    assert differs == ""
    assert render(template, [Message(role="user", content="Hi")]).startswith("Q") != bos
