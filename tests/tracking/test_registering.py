"""The page of a registered version in MLflow: description and links."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from echo_model import ECHO_MODEL
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig
from graft.tracking.registering import PAGES, WRITTEN

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


def evaluate(root: Path, description: str) -> tuple[Any, Any]:
    """Register the adapter once more, by the same evaluation. Returns: the client, and
    the version."""
    registry = RegistryConfig(
        name="model", experiment="graft", tracking_uri=f"sqlite:///{root}/mlflow.db"
    )
    adapter = root / "adapter"
    adapter.mkdir(exist_ok=True)
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (root / "served.py").write_text(ECHO_MODEL)
    with tracking.start_run(registry, root / "run.jsonl") as run:
        found = tracking.register_adapter(
            run,
            registry,
            adapter,
            code=root / "served.py",
            settings={},
            tags={},
            evaluation="same",
            description=description,
        )
    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    return client, client.get_model_version("model", found)


def test_a_description_links_to_the_run_and_keeps_what_a_person_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    make_store(tmp_path)
    client, version = evaluate(tmp_path, "**BLEU 83.5**")
    place = f"#/experiments/1/runs/{version.run_id}"
    assert version.description.startswith("**BLEU 83.5**\n\n[run ")
    assert version.description.endswith(WRITTEN)
    assert f"]({place})" in version.description
    for path in PAGES.values():
        assert f"({place}/artifacts/{path})" in version.description
    _, version = evaluate(tmp_path, "**BLEU 84.0**")
    assert version.version == 1 and "84.0" in version.description
    client.update_model_version("model", "1", "Served in the shop since May.")
    _, version = evaluate(tmp_path, "**BLEU 85.0**")
    assert version.description == "Served in the shop since May."
