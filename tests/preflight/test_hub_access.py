"""The hub's cache, as the client lays it out; nothing here reaches a network."""

import json
import os
import subprocess
import sys
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = f"""
from graft.preflight.hub import HuggingFaceHub
from graft.params import load_params
from graft.errors import GraftError
model = load_params().model.model_copy(update=dict(path="a/b", revision="{COMMIT}"))
try:
    print(HuggingFaceHub().missing_bytes(model))
except GraftError as error:
    print(type(error).__name__, error)
"""


def missing_bytes(home: Path) -> str:
    """What an offline machine with this cache says of the model."""
    # The client reads these when it is imported.
    env = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=env,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_a_cached_model_needs_no_hub_and_half_of_one_does(tmp_path: Path) -> None:
    assert missing_bytes(tmp_path).startswith("ModelError a/b@0123")
    files = tmp_path / "hub" / "models--a--b" / "snapshots" / COMMIT
    files.mkdir(parents=True)
    (files / "config.json").write_text("{}")
    index = {"weight_map": {"x": "1.safetensors", "y": "2.safetensors"}}
    (files / "model.safetensors.index.json").write_text(json.dumps(index))
    (files / "1.safetensors").write_text("")
    assert "not all in the hub's cache" in missing_bytes(tmp_path)
    (files / "2.safetensors").write_text("")
    assert missing_bytes(tmp_path) == "0"
