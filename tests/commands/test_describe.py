"""`graft describe` on folders of models that were made elsewhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_folders import save_bpe, save_pieces, save_weights

from graft.commands.describe import describe, read_license, run
from graft.config import ModelConfig
from graft.errors import ConfigError, GraftError, ModelError
from graft.models.files import check_fits, model_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    save_weights(path)
    save_bpe(path)
    return path


def change_config(folder: Path, **changes: Any) -> None:
    """Set keys of config.json; those set to ... go."""
    path = folder / "config.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not ...}))


def change_weights(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def test_a_described_folder_is_a_configuration_of_a_model(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    run(folder)
    values = yaml.safe_load(capsys.readouterr().out)
    model = ModelConfig(**values)
    assert model.path == str(folder) and model.revision == model_digest(folder)
    assert model.license == "apache-2.0" and model.tokenizer is None


@pytest.mark.parametrize("revision", ["1234567890123456", "12345678901234e5"])
def test_a_digest_that_looks_like_a_number_stays_a_text(revision: str) -> None:
    from omegaconf import OmegaConf

    from graft.commands.describe import to_yaml

    model = ModelConfig(
        path="été: #1",
        revision=revision,
        tokenizer=None,
        num_parameters=1,
        dtype="float32",
        license=None,
    )
    assert ModelConfig(**OmegaConf.create(to_yaml(model))) == model  # type: ignore


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard_size", ["1GB", "20KB"])
@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2"])
def test_parameters_are_counted_as_torch_counts_them(
    tmp_path: Path, kind: str, shard_size: str, tied: bool
) -> None:
    model = save_weights(
        tmp_path, kind, shard_size=shard_size, tie_word_embeddings=tied
    )
    save_bpe(tmp_path)
    one_file = (tmp_path / "model.safetensors").is_file()
    assert one_file == (shard_size == "1GB")
    assert describe(tmp_path).num_parameters == model.num_parameters()


def test_a_tied_output_layer_that_is_stored_all_the_same_counts_once(
    folder: Path,
) -> None:
    whole = describe(folder).num_parameters
    change_config(folder, tie_word_embeddings=True)
    assert describe(folder).num_parameters == whole - 512 * 32


def test_other_files_of_weights_and_old_buffers_do_not_count(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    whole = describe(folder).num_parameters
    save_file({"w": torch.ones(9)}, folder / "consolidated.safetensors")
    name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    change_weights(folder, lambda weights: weights.update({name: torch.ones(4)}))
    assert describe(folder).num_parameters == whole


def test_the_type_is_that_of_the_configuration_else_of_the_weights(
    folder: Path,
) -> None:
    assert describe(folder).dtype == "bfloat16"
    change_config(folder, dtype=..., torch_dtype="float16")
    assert describe(folder).dtype == "float16"
    change_config(folder, torch_dtype=...)
    assert describe(folder).dtype == "bfloat16"


def test_sentencepiece_alone_is_a_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    save_pieces(folder)
    assert describe(folder).tokenizer is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ("---\nlanguage: en\n---\nlicense: mit\n", None),
        ("# Notes\n\n---\nlicense: mit\n---\n", None),
        ("---\n: [\n---\n", None),
        ("", None),
    ],
)
def test_a_licence_is_read_from_the_front_matter_only(
    tmp_path: Path, text: str, found: str | None
) -> None:
    (tmp_path / "README.md").write_text(text)
    assert read_license(tmp_path / "README.md") == found
    assert read_license(tmp_path / "absent.md") is None


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def shardless(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"w": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def nonsense(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "has no model"),
        (lambda f: (f / "config.json").write_text("{"), "not valid JSON"),
        (lambda f: change_config(f, architectures=["T5Model"]), "T5Model"),
        (lambda f: change_config(f, architectures=["LlamaModel"]), "LlamaModel"),
        (lambda f: change_config(f, quantization_config={}), "already quantized"),
        (lambda f: change_config(f, vocab_size=300), "the model 300 embeddings"),
        (lambda f: (f / "tokenizer.json").unlink(), "contains no tokenizer"),
        (lambda f: (f / "model.safetensors").unlink(), "has no weights"),
        (pickled, "pickles"),
        (shardless, "no such file"),
        (cut_short, "its size does not match its header"),
        (nonsense, "not a safetensors file"),
    ],
)
def test_a_folder_that_cannot_be_used_is_an_error_with_a_fix(
    folder: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(folder)
    with pytest.raises(GraftError, match=said) as told:
        describe(folder)
    assert told.value.fix


def test_a_file_that_is_there_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "configs" / "mine.yaml"
    run(folder, out=out)
    written = out.read_text()
    run(folder, out=out)
    assert out.read_text() == written
    out.write_text(written + "# a note\n")
    with pytest.raises(ConfigError, match="already exists"):
        run(folder, out=out)
    assert out.read_text().endswith("# a note\n")


def test_a_sequence_longer_than_the_models_positions_is_refused(folder: Path) -> None:
    model = describe(folder)
    check_fits(model, 400, 128)
    with pytest.raises(ModelError, match="128 positions"):
        check_fits(model, 400, 129)
    with pytest.raises(ModelError, match="the model 512 embeddings"):
        check_fits(model, 513, 128)


def test_a_described_folder_as_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(folder, json=True)
    assert found is not None
    assert capsys.readouterr().out == ""
    assert found == describe(folder).model_dump(mode="json")
    assert isinstance(found["num_parameters"], int)
