"""What a registered version must pass before its model is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft.config import ModelConfig
from graft.models.file_digests import check_files
from graft.models.files import check_tokenizer
from graft.registry.signatures import verify_signature


def check_adapter(adapter: Path, settings: Mapping[str, Any]) -> None:
    """Check the adapter's files: their signature if a key is configured, and their
    digests if these were registered.

    Args:
        adapter: folder in the registered model.
        settings: MLflow's model_config of the version.
    Raises: ModelError with the file that differs.
    """
    verify_signature(adapter, None)
    if recorded := settings.get("files"):
        check_files(adapter, recorded)


def check_base_tokenizer(model: ModelConfig, settings: Mapping[str, Any]) -> None:
    """Compare the base's tokenizer and chat template with those of the training data.

    Raises: ModelError with the file that differs.
    """
    if recorded := settings.get("tokenizer_files"):
        check_tokenizer(model, recorded)
