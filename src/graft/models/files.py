"""Where a base model's files are, and the digest that names a local folder's content.

A model is a folder of this machine or an id of the hub. The form of its revision
tells which: a commit of the hub has 40 hexadecimal digits, a folder's digest has 16.
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
"""The files that make a model what it is. A readme or a training log does not."""


def model_digest(folder: Path) -> str:
    """The revision of a local model folder, over names and bytes of `MODEL_FILES`.

    Raises: ModelError if the folder is missing or holds no model.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(
            str(folder),
            "no model here" if folder.is_dir() else "no such folder",
            expected="a folder with config.json and *.safetensors",
            fix="correct model.path, or download the model into this folder",
        )
    return digest_files(folder, MODEL_FILES)


def check_revision(model: ModelConfig) -> None:
    """Raises: ModelError if a local folder's content is not what `revision` names."""
    found = model_digest(Path(model.path))
    if found != model.revision:
        raise ModelError(
            model.path,
            f"the folder's content is {found}, not model.revision {model.revision}",
            expected="the files that the configuration was written for",
            fix=f"restore them, or if the change is meant set model.revision: "
            f"'{found}' in configs/model, then: graft params",
        )


def tokenizer_digests(model: ModelConfig) -> dict[str, str]:
    """The digest of each of a model's tokenizer files, by name; of a tokenizer that a
    library brings there are none."""
    if model.tokenizer is not None:
        return {}
    folder = model_folder(model.path, model.revision, TOKENIZER_FILES)
    found = {file for pattern in TOKENIZER_FILES for file in folder.glob(pattern)}
    return {file.name: digest(file.read_bytes()) for file in sorted(found)}


def check_tokenizer(model: ModelConfig, recorded: Mapping[str, str]) -> None:
    """Hold the tokenizer's files against those that the data was tokenized with.

    Args:
        model: whose tokenizer is about to be used.
        recorded: what `tokenizer_digests` gave then.
    Raises: ModelError naming the file that differs.
    """
    present = tokenizer_digests(model)
    for name in sorted(present.keys() | recorded.keys()):
        was, now = (kept.get(name, "missing") for kept in (recorded, present))
        if was != now:
            raise ModelError(
                f"{model.path}/{name}",
                f"the data was tokenized when its digest was {was}; now it is {now}",
                expected="the tokenizer that made the data",
                fix="restore the file, or tokenize again: dvc repro -f tokenize",
            )


def model_folder(
    path: str, revision: str, patterns: Iterable[str] = MODEL_FILES
) -> Path:
    """The folder with a model's files; those of the hub are downloaded once.

    Args:
        path: a folder, or an id of the hub.
        revision: the folder's digest, or a commit of the hub. It is not compared
            here: reading 14 GB of weights to load a tokenizer would be too slow.
        patterns: the files needed.
    Raises: ModelError if there is no such folder, or the hub cannot give it.
    """
    if Path(path).is_dir():
        return Path(path)
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ModelError(
            f"model.path={path}",
            "no such folder, and the revision is not a commit of the hub",
            expected="an existing folder, or a hub id with a commit of 40 hex digits",
            fix="correct model.path or model.revision in configs/model",
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(path, revision=revision, allow_patterns=list(patterns))
        )
    except Exception as error:  # the hub's client raises its own, httpx's and OSError
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"{path}@{revision}",
            f"the hub did not give this model: {reason[0]}",
            fix="check the id, the network and HF_TOKEN (gated models need it), or "
            "set model.path to a folder that holds the model",
        ) from error


def check_fits(model: ModelConfig, vocab_size: int, max_seq_len: int) -> dict[str, Any]:
    """Hold the tokenizer and the length limit against the model's config.json.

    Past its positions a model says nothing sensible, and past its embeddings it stops
    in the middle of a batch.

    Args:
        model: a folder, or an id of the hub whose config.json is fetched.
        vocab_size: of the tokenizer. The model may have more embeddings.
        max_seq_len: longest sequence, in tokens.
    Returns: what config.json says.
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
            f"the tokenizer has {vocab_size} tokens, the model embeds {embeddings}",
            expected="a tokenizer whose every token the model knows",
            fix="take the tokenizer that the model was trained with, or remove from "
            "tokenizer.json the tokens that were added to it",
        )
    return values


def read_shape(model: ModelConfig) -> dict[str, Any]:
    """A model's config.json; of a hub's model it is fetched."""
    folder = model_folder(model.path, model.revision, ["config.json"])
    values: dict[str, Any] = read_json(folder / "config.json")
    return values
