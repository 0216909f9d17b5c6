"""`graft describe`: the configuration (configs/model) of a local model."""

from json import dumps
from pathlib import Path
from typing import Any

import yaml

from graft import io
from graft.config import ModelConfig, PromptConfig
from graft.errors import ConfigError, ModelError
from graft.models.files import check_fits, model_digest
from graft.models.safetensors import DTYPES, read_weights
from graft.prompts import load_template

PLAIN = PromptConfig(
    style="pattern",
    pattern="{source}\n",
    system=None,
    paraphrases=[],
    num_paraphrases=0,
    date=None,
)


def run(
    folder: Path, /, *, out: Path | None = None, json: bool = False
) -> dict[str, Any] | None:
    """Print or write the configuration (configs/model) of a local model.

    Args:
        folder: model in Hugging Face Hub format.
        out: write the configuration to this file instead. The override model=NAME
            selects configs/model/NAME.yaml.
        json: print one JSON document instead of YAML.
    """
    model = describe(folder)
    if out is None and json:
        return model.model_dump(mode="json")
    text = to_yaml(model)
    if out is None:
        print(text, end="")
        return None
    if out.exists() and out.read_text(encoding="utf-8") != text:
        raise ConfigError(
            str(out),
            "already exists with other content",
            expected="the name of a new file",
            fix="choose another file name, or remove this file first",
        )
    io.write_text(out, text)
    print(f"{out}: use it with: dvc exp run -S model={out.stem}")
    return model.model_dump(mode="json") if json else None


def describe(folder: Path) -> ModelConfig:
    """The configuration of a local model.

    Raises: ModelError or TemplateError if the pipeline cannot use the model.
    """
    revision = model_digest(folder)
    values = read_config(folder)
    if not any((folder / f"tokenizer.{end}").is_file() for end in ("json", "model")):
        raise ModelError(
            str(folder),
            "contains no tokenizer",
            expected="tokenizer.json or tokenizer.model",
            fix="copy the file from the model's source; if it has only vocab.json and "
            "merges.txt, convert them with transformers: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)",
        )
    weights = read_weights(folder, tied=values.get("tie_word_embeddings", False))
    named = values.get("dtype", values.get("torch_dtype"))
    dtype = named if named in DTYPES.values() else weights.dtype
    if dtype is None:
        raise ModelError(
            str(folder),
            f"weights of type {', '.join(weights.parameters)}",
            expected=f"one of {', '.join(DTYPES.values())}, not yet quantized",
            fix="use the original model; graft quantizes it while loading",
        )
    model = ModelConfig(
        path=str(folder),
        revision=revision,
        tokenizer=None,
        num_parameters=weights.total,
        dtype=dtype,
        license=read_license(folder / "README.md"),
    )
    check_fits(model, load_template(model, PLAIN).vocab_size, max_seq_len=1)
    return model


def read_config(folder: Path) -> dict[str, Any]:
    """The content of config.json.

    Raises: ModelError if the pipeline cannot train such a model.
    """
    values: dict[str, Any] = io.read_json(folder / "config.json")
    kind = values.get("model_type")
    classes = values.get("architectures") or ["ForCausalLM"]
    if not kind or not classes[0].endswith("ForCausalLM"):
        raise ModelError(
            str(folder / "config.json"),
            f"model_type {kind}, {classes[0]}",
            expected="a causal language model: a class that ends in ForCausalLM",
            fix="choose a model that transformers can load with AutoModelForCausalLM",
        )
    if "quantization_config" in values:
        raise ModelError(
            str(folder / "config.json"),
            "the model is already quantized",
            expected="unquantized weights",
            fix="use the original model; graft quantizes it while loading",
        )
    return values


def read_license(readme: Path) -> str | None:
    """The licence in a model card's front matter, or None."""
    if not readme.is_file():
        return None
    parts = readme.read_text(encoding="utf-8", errors="replace").split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return None
    found = front.get("license") if isinstance(front, dict) else None
    return found if isinstance(found, str) else None


def to_yaml(model: ModelConfig) -> str:
    """The content of a file in configs/model.

    Strings are quoted, since YAML could read a digest as a number.
    """
    values = model.model_dump(mode="json")
    lines = [
        f"{key}: {dumps(value, ensure_ascii=False)}" for key, value in values.items()
    ]
    return "\n".join(["# Written by graft describe.", *lines, ""])
