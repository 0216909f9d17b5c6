"""A folder whose only tokenizer file is a SentencePiece model."""

from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor
from small_sentencepiece import TEXT, load, train
from small_tokenizers import render

from graft.errors import TemplateError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("pieces"))


@pytest.mark.parametrize("text", TEXT)
def test_ids_are_the_sentencepiece_models_own(folder: Path, text: str) -> None:
    pieces = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    template = load(folder, "pattern", "{source}\n")
    encoded = template.encode([[{"role": "assistant", "content": text}]])[0]
    expected = [pieces.bos_id(), *pieces.encode(text), pieces.eos_id()]
    assert encoded.input_ids == expected
    assert encoded.loss_mask == [False, *[True] * (len(expected) - 1)]
    assert template.decode(encoded.input_ids) == pieces.decode(expected)


def test_a_sentencepiece_model_alone_is_refused_for_chats(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"no tokenizer\.json"):
        load(folder, "chat", None)


def test_a_model_that_opens_no_text_with_a_space_gets_one_before_answers(
    tmp_path: Path,
) -> None:
    """As in Gemma's; otherwise the answer would follow the colon without a space."""
    options = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    train(tmp_path, add_dummy_prefix=False, **options)
    pieces = SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    template = load(tmp_path, "pattern", "English: {source}\nFrench:")
    chat: list[Any] = [
        {"role": "user", "content": "The cat."},
        {"role": "assistant", "content": "Le chat dort."},
    ]
    ids = template.encode([chat])[0].input_ids
    assert pieces.decode(ids) == "English: The cat.\nFrench: Le chat dort."
    assert render(template, chat) == f"<s>{pieces.decode(ids)}</s>"
    said = ids[len(template.encode_prompt(chat)) :]
    assert template.decode(said) == "Le chat dort."
    alone = template.encode([chat[1:]])[0].input_ids[1:-1]
    assert alone == pieces.encode("Le chat dort.")
