"""Corruptions of a registered version: each is refused before it answers, by name."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from corruptions import CORRUPTIONS
from tiny_pipeline import make_adapter, make_base, make_params

from graft.config.params import load_params
from graft.errors import GraftError
from graft.models.file_digests import file_digests
from graft.models.files import tokenizer_digests
from graft.serving.certification import Certifier
from graft.serving.certified_version import open_version
from graft.training.tuning import load_served

ROOT = Path(__file__).parents[2]
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
