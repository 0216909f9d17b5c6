"""Corruptions of a registered version: each is refused before it answers, by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tiny_pipeline import make_adapter, make_base, make_params

from graft.config.params import load_params
from graft.errors import GraftError
from graft.models.file_digests import file_digests
from graft.models.files import tokenizer_digests
from graft.serving.certification import Certifier
from graft.serving.certified_version import open_version
from graft.training.tuning import load_served

ROOT = Path(__file__).parents[2]
WEIGHTS = "adapter_model.safetensors"
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, and a registered version of it, as MLflow stores it."""
    root = tmp_path_factory.mktemp("sound")
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    base = root / "base"
    make_base(base)
    (base / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    params = make_params(values, base)
    adapter = root / "version/artifacts/adapter"
    make_adapter(params, adapter)
    record = json.loads((adapter / "graft.json").read_text())
    # Found through GRAFT_ROOT, so that a copy of all finds its own base.
    record["base_path"] = record["params"]["model"]["path"] = "base"
    (adapter / "graft.json").write_text(json.dumps(record))
    settings = {
        "decoding": {"max_new_tokens": 8, "stop": ["\n"]},
        "files": file_digests(adapter),
        "tokenizer_files": tokenizer_digests(params.model),
    }
    described = {"flavors": {"python_function": {"config": settings}}}
    (root / "version/MLmodel").write_text(yaml.safe_dump(described))
    return root


def open_copy(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the version, and load its weights."""
    monkeypatch.chdir(root / "version")
    monkeypatch.setenv("GRAFT_ROOT", str(root))
    params = load_params(ROOT / "params.yaml")
    generation = params.generation.model_copy(update={"device": "cpu"})
    found = open_version(root / "version", generation, params.serving)
    return load_served(found.model, found.quantization, "cpu", found.adapter)


def edit_tensors(root: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    file = root / "version/artifacts/adapter" / WEIGHTS
    tensors = load_file(file)
    change(tensors)
    save_file({name: one.contiguous() for name, one in tensors.items()}, file)


def edit_json(path: str, **changes: Any) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        values = json.loads((root / path).read_text())
        (root / path).write_text(json.dumps(values | changes))

    return edit


def on_weights(
    change: Callable[[dict[str, torch.Tensor]], Any],
) -> Callable[[Path], None]:
    return lambda root: edit_tensors(root, change)


def first(tensors: dict[str, torch.Tensor], part: str = "lora_B") -> torch.Tensor:
    return next(tensors[name] for name in sorted(tensors) if part in name)


def swap_layers(tensors: dict[str, torch.Tensor], part: str) -> None:
    names = [f"{n}" for n in sorted(tensors) if part in n and "q_proj" in n]
    tensors[names[0]], tensors[names[1]] = tensors[names[1]], tensors[names[0]]


def flip(path: str, place: int) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        content = bytearray((root / path).read_bytes())
        content[place] ^= 1
        (root / path).write_bytes(content)

    return edit


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))

    return edit


def removed(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def other_base(root: Path) -> None:
    file = root / "base/model.safetensors"
    tensors = load_file(file)
    tensors["model.norm.weight"] += 1
    save_file(tensors, file, metadata={"format": "pt"})


ADAPTER = "version/artifacts/adapter"
CONFIG, RECORD = f"{ADAPTER}/adapter_config.json", f"{ADAPTER}/graft.json"
CORRUPTIONS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a LoRA matrix is noise": (on_weights(lambda t: first(t).normal_()), WEIGHTS),
    "a LoRA matrix is zero": (on_weights(lambda t: first(t).zero_()), WEIGHTS),
    "a LoRA matrix is NaN": (on_weights(lambda t: first(t).fill_(torch.nan)), WEIGHTS),
    "a number is infinite": (
        on_weights(lambda t: first(t).view(-1)[:1].fill_(torch.inf)),
        WEIGHTS,
    ),
    "a sign is flipped": (on_weights(lambda t: first(t).neg_()), WEIGHTS),
    "A of two layers is swapped": (
        on_weights(lambda t: swap_layers(t, "lora_A")),
        WEIGHTS,
    ),
    "B of two layers is swapped": (
        on_weights(lambda t: swap_layers(t, "lora_B")),
        WEIGHTS,
    ),
    "weights are halved": (on_weights(lambda t: first(t).mul_(0.5)), WEIGHTS),
    "a matrix is missing": (on_weights(lambda t: t.pop(sorted(t)[0])), WEIGHTS),
    "a matrix is rounded": (
        on_weights(lambda t: first(t).copy_(first(t).bfloat16().float())),
        WEIGHTS,
    ),
    "one byte of the weights is flipped": (flip(f"{ADAPTER}/{WEIGHTS}", -1), WEIGHTS),
    "the weights are removed": (removed(f"{ADAPTER}/{WEIGHTS}"), WEIGHTS),
    "alpha is scaled": (edit_json(CONFIG, lora_alpha=80), "adapter_config.json"),
    "the rank is changed": (edit_json(CONFIG, r=4), "adapter_config.json"),
    "target modules are changed": (
        edit_json(CONFIG, target_modules=["q_proj"]),
        "adapter_config.json",
    ),
    "PEFT's base is changed": (
        edit_json(CONFIG, base_model_name_or_path="owner/other"),
        "adapter_config.json",
    ),
    "rsLoRA is switched on": (edit_json(CONFIG, use_rslora=True), "adapter_config"),
    "the recorded base is changed": (
        edit_json(RECORD, base_revision="0" * 16),
        "graft.json",
    ),
    "the recorded template is changed": (
        edit_json(RECORD, template_hash="0" * 16),
        "graft.json",
    ),
    "the record is removed": (removed(RECORD), "graft.json"),
    "a file is added": (
        lambda root: (root / ADAPTER / "adapter_model.bin").write_bytes(b"x"),
        "adapter_model.bin",
    ),
    "the chat template is changed by one byte": (
        flip("base/chat_template.jinja", 3),
        "chat_template.jinja",
    ),
    "the chat template is removed": (
        removed("base/chat_template.jinja"),
        "chat_template.jinja",
    ),
    "the tokenizer is another": (
        replaced("base/tokenizer.json", '"!"', '"\\u00a7\\u00a7"'),
        "tokenizer.json",
    ),
    "BOS is missing": (
        edit_json("base/tokenizer_config.json", bos_token=None),
        "tokenizer_config.json",
    ),
    "EOS is another token": (
        edit_json("base/tokenizer_config.json", eos_token="<unk>"),
        "tokenizer_config.json",
    ),
    "padding is another token": (
        edit_json("base/tokenizer_config.json", pad_token="</s>"),
        "tokenizer_config.json",
    ),
    "the base has other weights": (other_base, "the digest of the folder is"),
    "the base's shape is changed": (
        edit_json("base/config.json", rope_theta=1.0),
        "the digest of the folder is",
    ),
    "the base's end token is changed": (
        edit_json("base/generation_config.json", eos_token_id=0),
        "the digest of the folder is",
    ),
    "the base is gone": (lambda root: shutil.rmtree(root / "base"), "GRAFT_ROOT"),
}


def test_a_sound_version_is_opened_and_loaded(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = shutil.copytree(sound, tmp_path / "copy")
    assert open_copy(root, monkeypatch).peft_config


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_is_refused_and_named(
    kind: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    corrupt, named = CORRUPTIONS[kind]
    root = shutil.copytree(sound, tmp_path / "copy")
    corrupt(root)
    with pytest.raises(GraftError) as caught:
        open_copy(root, monkeypatch)
    assert named in str(caught.value)


def test_another_decoding_than_the_evaluations_is_refused(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Stop texts, temperature and limits are in MLmodel, not in the adapter."""
    from graft.inference import generated
    from graft.inference.results import Decoding

    monkeypatch.setenv("GRAFT_ROOT", str(sound))
    params = load_params(ROOT / "params.yaml")
    evaluated = SimpleNamespace(decoding=Decoding(max_new_tokens=8, stop=["."]))
    monkeypatch.setattr(generated, "read_generated", lambda _: evaluated)
    store = SimpleNamespace(fetch=lambda *_: tmp_path)
    versions: Any = SimpleNamespace(
        store=store, fetch_model=lambda *_: sound / "version"
    )
    version: Any = SimpleNamespace(address="models:/tiny/1", run_id="r")
    certifier = Certifier(
        params.registry,
        params.evaluate,
        params.generation,
        params.serving,
        params.certificate,
    )
    with pytest.raises(GraftError, match="decoding"):
        certifier.certify(versions, version, tmp_path, None)
