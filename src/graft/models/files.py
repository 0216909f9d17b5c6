"""The files of a base model, and the digest of a local folder's content.

A model is a local folder or a Hub id. Its revision is a folder's digest of 16
hexadecimal digits, or a Hub commit of 40.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graft.config import ModelConfig
from graft.errors import ModelError
from graft.io import digest, digest_files, read_json

TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "*.jinja",
    "chat_template.json",
)
MODEL_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    *TOKENIZER_FILES,
)
"""The files that affect a model's output, unlike a readme or a training log."""


def model_digest(folder: Path) -> str:
    """The revision of a local model folder: a digest of the names and bytes of
    `MODEL_FILES`.

    Raises: ModelError if the folder is missing or has no model.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(
            str(folder),
            "has no model" if folder.is_dir() else "no such folder",
            expected="a folder with config.json and *.safetensors",
            fix="correct model.path, or download the model into this folder",
        )
    return digest_files(folder, MODEL_FILES)


def check_revision(model: ModelConfig) -> None:
    """Raises: ModelError if a local folder's digest is not `model.revision`."""
    found = model_digest(Path(model.path))
    if found != model.revision:
        raise ModelError(
            model.path,
            f"the digest of the folder is {found}, not model.revision {model.revision}",
            expected="the files that the configuration was written for",
            fix=f"restore them, or if the change is intended, set model.revision: "
            f"'{found}' in configs/model, then: graft params",
        )


def tokenizer_digests(model: ModelConfig) -> dict[str, str]:
    """The digest of each tokenizer file of a model, by name; empty for a tokenizer from
    a library."""
    if model.tokenizer is not None:
        return {}
    folder = model_folder(model.path, model.revision, TOKENIZER_FILES)
    found = {file for pattern in TOKENIZER_FILES for file in folder.glob(pattern)}
    return {file.name: digest(file.read_bytes()) for file in sorted(found)}


def check_tokenizer(model: ModelConfig, recorded: Mapping[str, str]) -> None:
    """Compare the tokenizer's files with those that the data was tokenized with.

    Args:
        model: whose tokenizer is used.
        recorded: the `tokenizer_digests` of the data.
    Raises: ModelError with the file that differs.
    """
    current = tokenizer_digests(model)
    for name in sorted(current.keys() | recorded.keys()):
        was, now = (digests.get(name, "missing") for digests in (recorded, current))
        if was != now:
            raise ModelError(
                f"{model.path}/{name}",
                f"its digest was {was} when the data was tokenized; now it is {now}",
                expected="the tokenizer that made the data",
                fix="restore the file, or tokenize again: dvc repro -s -f tokenize",
            )


def model_folder(
    path: str, revision: str, patterns: Iterable[str] = MODEL_FILES
) -> Path:
    """The folder with a model's files; files of the Hub are downloaded once.

    Args:
        path: a folder, or a Hub id.
        revision: the folder's digest, or a Hub commit. A digest is not checked here:
            reading 14 GB of weights to load a tokenizer would be too slow.
        patterns: the files needed.
    Raises: ModelError if there is no such folder, or the download fails.
    """
    if Path(path).is_dir():
        return Path(path)
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ModelError(
            f"model.path={path}",
            "no such folder, and the revision is not a Hub commit",
            expected="an existing folder, or a Hub id with a commit of 40 hex digits",
            fix="correct model.path or model.revision in configs/model",
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(path, revision=revision, allow_patterns=list(patterns))
        )
    except Exception as error:  # errors of the client, of httpx, and OSError
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"{path}@{revision}",
            f"the model cannot be downloaded: {reason[0]}",
            fix="check the id, the network and HF_TOKEN (gated models need it), or "
            "set model.path to a local folder with the model",
        ) from error


def check_fits(model: ModelConfig, vocab_size: int, max_seq_len: int) -> dict[str, Any]:
    """Compare the tokenizer and the length limit with the model's config.json.

    Beyond its positions a model's output is useless, and a token id beyond its
    embeddings raises in the middle of a batch.

    Args:
        model: a folder, or a Hub id.
        vocab_size: of the tokenizer. The model may have more embeddings.
        max_seq_len: longest sequence, in tokens.
    Returns: the content of config.json.
    Raises: ModelError if either is too large for the model.
    """
    values = read_shape(model)
    positions = values.get("max_position_embeddings", max_seq_len)
    if max_seq_len > positions:
        raise ModelError(
            f"tokenize.max_seq_len={max_seq_len}",
            f"{model.path} has {positions} positions",
            expected=f"at most its max_position_embeddings, {positions}",
            fix=f"set tokenize.max_seq_len={positions} or less",
        )
    embeddings = values.get("vocab_size", vocab_size)
    if vocab_size > embeddings:
        raise ModelError(
            model.path,
            f"the tokenizer has {vocab_size} tokens, the model {embeddings} embeddings",
            expected="an embedding for each token of the tokenizer",
            fix="take the tokenizer that the model was trained with, or remove the "
            "tokens that were added to tokenizer.json",
        )
    return values


def read_shape(model: ModelConfig) -> dict[str, Any]:
    """A model's config.json, downloaded for a Hub id."""
    folder = model_folder(model.path, model.revision, ["config.json"])
    values: dict[str, Any] = read_json(folder / "config.json")
    return values
