"""The template's contract: pads, stops, hashes, and conversations it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_tokenizers import assistant, load, render, system, user

from graft.errors import ConfigError, ModelError, TemplateError
from graft.records import Message

PATTERN = "English: {source}\nFrench:"


def test_the_pad_token_is_never_one_that_ends_an_answer(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**config, "pad_token": "</s>"})
    )
    template = load(folder, pattern=PATTERN)
    assert template.pad_id not in template.stop_ids


def test_a_tokenizer_without_a_token_for_padding_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    content = json.loads((folder / "tokenizer.json").read_text())
    content["added_tokens"] = [
        token for token in content["added_tokens"] if token["content"] == "</s>"
    ]
    (folder / "tokenizer.json").write_text(json.dumps(content))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "</s>", "pad_token": "</s>"})
    )
    with pytest.raises(TemplateError, match="no token for padding"):
        load(folder, pattern=PATTERN)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([user("a")], "not the assistant's"),
        ([], "not the assistant's"),
        ([user("a"), user("b"), assistant("c")], "two user turns"),
        ([user("a"), assistant("b"), assistant("c")], "two assistant turns"),
        ([user("a"), system("b"), user("c"), assistant("d")], "system turn"),
    ],
)
def test_a_conversation_with_turns_out_of_order_is_refused_with_the_reason(
    folders: dict[str, Path], messages: list[Message], reason: str
) -> None:
    template = load(folders["byte_level"], pattern=PATTERN)
    assert reason in template.refusal(messages)
    with pytest.raises(TemplateError, match=reason):
        template.encode([messages])


def test_a_system_turn_fills_its_place_in_the_pattern(
    folders: dict[str, Path],
) -> None:
    pattern = "{system}|{source}|"
    chat = [system("be {source}"), user("say {system}")]
    assert render(load(folders["byte_level"], pattern=pattern), chat) == (
        "<s>be {source}|say {system}|"
    )
    default = load(folders["byte_level"], pattern=pattern, system="default")
    assert render(default, chat[1:]) == "<s>default|say {system}|"


def test_a_pattern_with_no_place_for_the_system_turn_is_caught(
    folders: dict[str, Path],
) -> None:
    template = load(folders["byte_level"], pattern=PATTERN)
    with pytest.raises(TemplateError, match="no place for it"):
        template.encode([[system("s"), user("a"), assistant("b")]])
    with pytest.raises(TemplateError, match="no place for it"):
        load(folders["byte_level"], pattern=PATTERN, system="s")


def test_a_pattern_that_ends_in_a_space_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(TemplateError, match="ends in a space"):
        load(folders["byte_level"], pattern=PATTERN + " ")


def _rename_end(folder: Path) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    text = json.dumps({**config, "eos_token": "<s>"})
    (folder / "tokenizer_config.json").write_text(text)


def _drop_a_merge(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["merges"].pop()
    (folder / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize("change", [_rename_end, _drop_a_merge])
def test_the_hash_changes_with_the_tokenizer(
    folders: dict[str, Path], tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    before = load(folder, pattern=PATTERN).hash
    assert before == load(folders["byte_level"], pattern=PATTERN).hash
    change(folder)
    assert load(folder, pattern=PATTERN).hash != before


def test_the_hash_changes_with_the_pattern_and_the_system_turn(
    folders: dict[str, Path],
) -> None:
    folder = folders["byte_level"]
    hashes = {
        load(folder, pattern="{system}{source}:").hash,
        load(folder, pattern="{system}{source}:\n").hash,
        load(folder, pattern="{system}{source}:", system="x").hash,
        load("mistral-common:v3", pattern="{system}{source}:").hash,
        load("mistral-common:v3").hash,
    }
    assert len(hashes) == 5


def test_a_text_begins_with_bos_unless_the_models_files_say_that_it_does_not(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    ids = []
    for says in ({}, {"add_bos_token": True}, {"add_bos_token": False}):
        (folder / "tokenizer_config.json").write_text(json.dumps(config | says))
        template = load(folder, pattern=PATTERN)
        ids.append(template.encode([[user("a"), assistant("b")]])[0].input_ids)
    assert ids[0] == ids[1] == [1, *ids[2]]


def test_a_truncation_or_padding_saved_with_the_tokenizer_is_not_applied(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    content = json.loads((folder / "tokenizer.json").read_text())
    content["truncation"] = {
        "direction": "Right",
        "max_length": 2,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert len(load(folder, pattern=PATTERN).encode_prompt([user("a")])) > 2


def test_the_error_for_a_missing_tokenizer_has_a_fix(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="mistral-common:v3"):
        load(tmp_path, pattern=PATTERN)
    with pytest.raises(ModelError, match="no such folder"):
        load(tmp_path / "absent", pattern=PATTERN)
    with pytest.raises(ConfigError, match="v1, v2, v3, v3-tekken, v7"):
        load("mistral-common:v9", pattern=PATTERN)


def test_a_tokenizer_without_an_end_token_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(TemplateError, match="no end token"):
        load(folder, pattern=PATTERN)
