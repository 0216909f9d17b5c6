"""What serving reads of the registry."""

from collections.abc import Mapping
from pathlib import Path

from graft.errors import ModelError
from graft.serving.checked_version import BaseModel, check_version, read_settings
from graft.serving.served_model import (
    ServedVersion,
    describe_version,
    fetch_version,
)
from graft.tracking.versions import ADAPTER, ReadableVersions


class RegistrySource:
    """The versions of a registered model, copied to a folder.

    Args:
        cache: for the copies.
        reference: alias or number of the version whose base all share.
    Attributes:
        base: that base.
        first: that version.
        adapter: the folder of its adapter.
        full: the folder of a fully fine-tuned model; None: an adapter.
    Raises: TrackingError if there is no such version; ModelError if its base is not
        found; TemplateError if its template differs from that of training.
    """

    def __init__(self, versions: ReadableVersions, cache: Path, reference: str) -> None:
        self._versions, self._cache, self._reference = versions, cache, reference
        found = versions.find(reference)
        folder = fetch_version(versions, found, cache)
        self.adapter = folder / ADAPTER
        checked = check_version(self.adapter, read_settings(folder))
        self.base: BaseModel = checked.base
        self.first = describe_version(found, checked)
        self.full = None if self.first.adapter else self.adapter

    def held(self) -> Mapping[str, str]:
        """The version number of each alias, and of each number."""
        found = self._versions.all()
        numbers = {one.version: one.version for one in found}
        return numbers | {name: one.version for one in found for name in one.aliases}

    def fetch(self, version: str) -> tuple[ServedVersion, Path]:
        """A version and the folder of its adapter.

        Raises: GraftError if it was trained on another base or with another template,
            or its certificate failed.
        """
        found = self._versions.find(version)
        if found.tags.get("certificate") == "failed":
            raise ModelError(
                found.address,
                "its certificate failed",
                expected="a version whose answers are those of its evaluation",
                fix=f"see: graft verify {found.version}",
            )
        folder = fetch_version(self._versions, found, self._cache)
        adapter, settings = folder / ADAPTER, read_settings(folder)
        served = describe_version(found, check_version(adapter, settings, self.base))
        if (served.adapter is None or self.full) and version != self.first.version:
            raise ModelError(
                found.address,
                "a fully fine-tuned model cannot be exchanged while the server runs",
                expected="an adapter of the base that is served",
                fix="restart the server",
            )
        return served, adapter
