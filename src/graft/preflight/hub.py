"""Models and data sets that this machine can download from the Hub, or has cached."""

import fnmatch
import json
from pathlib import Path
from typing import Any

from graft.config import ModelConfig
from graft.errors import DataError, ModelError
from graft.models.files import MODEL_FILES, read_shape

_TIMEOUT_S = 10.0
_SITE = "https://huggingface.co"
_REFUSED = (401, 403, 404)


class Hub:
    """The Hugging Face Hub, with the token and cache of this machine."""

    def read_config(self, model: ModelConfig) -> dict[str, Any]:
        """A model's config.json. Raises: ModelError if it cannot be downloaded."""
        if not Path(model.path).is_dir() and not _cached(model, "config.json"):
            _reach(model)
        return read_shape(model)

    def missing_bytes(self, model: ModelConfig) -> int:
        """Bytes of a model that are not cached yet.

        Raises: ModelError if it cannot be downloaded.
        """
        if Path(model.path).is_dir() or is_cached(model):
            return 0
        from huggingface_hub import HfApi

        _reach(model)
        found = HfApi().model_info(
            model.path,
            revision=model.revision,
            files_metadata=True,
            timeout=_TIMEOUT_S,
        )
        return sum(
            one.size or 0
            for one in found.siblings or []
            if any(fnmatch.fnmatch(one.rfilename, pattern) for pattern in MODEL_FILES)
            and _cached(model, one.rfilename) is None
        )

    def check_dataset(self, hub_id: str, revision: str) -> None:
        """Raises: DataError if the Hub refuses access to this data set."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        try:
            HfApi().dataset_info(hub_id, revision=revision, timeout=_TIMEOUT_S)
        except HfHubHTTPError as error:
            if error.response.status_code in _REFUSED:
                problem, fix = _explain(error, hub_id, "data.hub_id", "data.revision")
                raise DataError(
                    f"{hub_id}@{revision}",
                    f"the Hub refuses access to this data set: {problem}",
                    expected="a data set and a revision that the token may read",
                    fix=fix,
                ) from error
        except Exception:  # pylint: disable=broad-exception-caught
            # Unreachable: convert, which comes next, uses the cache, or fails.
            pass


def _reach(model: ModelConfig) -> None:
    """Make one request to the Hub: its client would retry for up to a minute.

    Raises: ModelError if the Hub is unreachable, or refuses the model.
    """
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(model.path, revision=model.revision, timeout=_TIMEOUT_S)
    except Exception as error:  # errors of the client, of httpx, and OSError
        problem, fix = _explain(error, model.path, "model.path", "model.revision")
        raise ModelError(
            f"{model.path}@{model.revision}",
            "some of its files are not in the local Hub cache, and they cannot be "
            f"downloaded: {problem}",
            expected="a model and a revision that this machine can download",
            fix=f"{fix}; or set model.path to a local folder with the model",
        ) from error


def _explain(error: Exception, name: str, id_key: str, key: str) -> tuple[str, str]:
    """The reason why a download is impossible, and a fix.

    Args:
        error: of the client or httpx, or an OSError.
        name: of the model or data set.
        id_key: configuration key of the name.
        key: configuration key of the revision.
    """
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            "access to it is gated",
            f"accept its terms on {_SITE}/{name} and set HF_TOKEN to a token of that "
            "account",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the Hub has no such revision of {name}", f"set {key} to a commit of it"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "the Hub has nothing of this name, or it is private",
            f"correct {id_key}, or set HF_TOKEN to a token that may read it",
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            "HF_HUB_OFFLINE is set",
            "unset it, or fill the cache (HF_HOME) on a machine with access to the Hub",
        )
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text, f"check {id_key}, the network and HF_TOKEN"


def is_cached(model: ModelConfig) -> bool:
    """Whether a model's config.json and all its weights are in the cache."""
    if _cached(model, "config.json") is None:
        return False
    index = _cached(model, "model.safetensors.index.json")
    if index is None:
        return _cached(model, "model.safetensors") is not None
    names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    return all(_cached(model, name) is not None for name in names)


def _cached(model: ModelConfig, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model.path, name, revision=model.revision)
    return Path(found) if isinstance(found, str) else None
