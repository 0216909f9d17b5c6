"""The Hub cache in the client's layout; no test uses a network."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = f"""
from graft.preflight.hub import Hub
from graft.config.params import load_params
from graft.errors import GraftError
model = load_params().model.model_copy(update=dict(path="a/b", revision="{COMMIT}"))
try:
    print(Hub().missing_bytes(model))
except GraftError as error:
    print(type(error).__name__, error)
"""


def missing_bytes(home: Path) -> str:
    """The output of an offline machine with this cache."""
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


def test_a_cached_model_needs_no_hub_and_a_partly_cached_one_does(
    tmp_path: Path,
) -> None:
    assert missing_bytes(tmp_path).startswith("ModelError a/b@0123")
    files = tmp_path / "hub" / "models--a--b" / "snapshots" / COMMIT
    files.mkdir(parents=True)
    (files / "config.json").write_text("{}")
    index = {"weight_map": {"x": "1.safetensors", "y": "2.safetensors"}}
    (files / "model.safetensors.index.json").write_text(json.dumps(index))
    (files / "1.safetensors").write_text("")
    assert "not in the local Hub cache" in missing_bytes(tmp_path)
    (files / "2.safetensors").write_text("")
    assert missing_bytes(tmp_path) == "0"


class Refuses(BaseHTTPRequestHandler):
    """A Hub that refuses every request; the model's name gives status and code."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        """Responds like the Hub."""
        wanted = re.match(r"/api/(?:models|datasets)/s(\d+)/(\w+)", self.path)
        self.send_response(int(wanted[1]) if wanted else 404)
        self.send_header("X-Error-Code", wanted[2] if wanted else "EntryNotFound")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


ASK = """
import sys
import threading
from graft.preflight.hub import Hub
from graft.config.params import load_params
from graft.errors import GraftError
for path in sys.argv[1:]:
    changes = {"path": path, "revision": "0" * 40}
    model = load_params().model.model_copy(update=changes)
    hub = Hub()
    for ask in (hub.read_config, lambda _: hub.check_dataset(path, "0" * 40)):
        try:
            print(path, ask(model))
        except GraftError as error:
            print(path, type(error).__name__, " ".join(str(error).split()))
"""


def test_a_refusal_by_the_hub_is_explained_with_a_fix(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever).start()
    gated, lost = ("s401/GatedRepo", "s403/GatedRepo"), "s401/RepoNotFound"
    names = [*gated, lost, "s404/RevisionNotFound", "s500/Other"]
    env = os.environ | {
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, *names],
        env=env,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    server.shutdown()
    server.server_close()
    lines = done.stdout.splitlines()
    for name, model, data in zip(names, lines[::2], lines[1::2], strict=True):
        for line, kind in ((model, "ModelError"), (data, "DataError")):
            if name in gated:
                assert f"{kind}" in line and "access to it is gated" in line
                assert f"accept its terms on https://huggingface.co/{name}" in line
            elif name == lost:
                assert (
                    f"{kind}" in line
                    and "nothing of this name, or it is private" in line
                )
            elif name == "s404/RevisionNotFound":
                assert f"{kind}" in line and "no such revision" in line
    assert "ModelError" in lines[-2] and "500" in lines[-2]
    assert lines[-1] == "s500/Other None"  # convert retries, or uses the cache
