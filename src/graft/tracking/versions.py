"""The versions of a registered model: aliases, tags and files."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.client import StoreClient
from graft.tracking.limits import MOST_IN_TAG, to_name, to_value

ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>.+))")
ADAPTER = "artifacts/adapter"
"""Folder of the adapter in a registered model."""


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a registered model.

    Attributes:
        run_id: the MLflow run that registered it.
        created_ms: milliseconds since 1970, UTC.
    """

    name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    created_ms: int

    @property
    def address(self) -> str:
        """The address that MLflow loads: models:/NAME/VERSION."""
        return f"models:/{self.name}/{self.version}"


class ReadableVersions(ABC):
    """The versions of one registered model, for those who only read.

    Args:
        name: of the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def all(self) -> list[RegisteredVersion]:
        """All versions, the oldest first."""

    @abstractmethod
    def fetch_model(self, version: RegisteredVersion, out: Path) -> Path:
        """Copy the complete registered model to `out`. Returns: its folder."""

    def find(self, reference: str) -> RegisteredVersion:
        """The version of a number, an alias, models:/NAME/NUMBER or models:/NAME@ALIAS.

        Raises: TrackingError if there is none, or the name is not `registry.name`.
        """
        wanted = reference
        if address := ADDRESS.fullmatch(reference):
            if address["name"] != self.name:
                raise self._missing(reference, f"a version of {self.name}")
            wanted = address["version"] or address["alias"]
        versions = self.all()
        for one in versions:
            if wanted == one.version or wanted in one.aliases:
                return one
        known = [*(one.version for one in versions)]
        known += [f"@{alias}" for one in versions for alias in one.aliases]
        raise self._missing(reference, ", ".join(known) or "one registered version")

    def _missing(self, reference: str, expected: str) -> TrackingError:
        return TrackingError(
            reference,
            f"the registered model {self.name} has no such version",
            expected=expected,
            fix="choose one of these, or register one: dvc repro; registry.name and "
            "registry.tracking_uri say where to look",
        )


class Versions(ReadableVersions):
    """The versions of one registered model, `registry.name`.

    Raises: TrackingError if the store does not respond. The methods raise it, too.
    """

    def __init__(self, registry: RegistryConfig) -> None:
        super().__init__(registry.name)
        self.store = StoreClient(registry)

    def all(self) -> list[RegisteredVersion]:
        """All versions, the oldest first."""
        client = self.store.client
        with self.store.querying():
            found = list(client.search_model_versions(f"name = '{self.name}'"))
            aliases = client.get_registered_model(self.name).aliases if found else {}
        versions = [_to_version(one, aliases) for one in found]
        return sorted(versions, key=lambda one: int(one.version))

    def holder(self, alias: str) -> RegisteredVersion | None:
        """The version that has an alias, if any."""
        return next((one for one in self.all() if alias in one.aliases), None)

    def set_alias(self, alias: str, version: str) -> None:
        """Give an alias to a version; the one that had it loses it."""
        with self.store.querying():
            self.store.client.set_registered_model_alias(self.name, alias, version)

    def delete_alias(self, alias: str) -> None:
        """Take an alias from the version that has it."""
        with self.store.querying():
            self.store.client.delete_registered_model_alias(self.name, alias)

    def set_tags(self, version: str, tags: Mapping[str, Any]) -> None:
        """Set tags of a version."""
        with self.store.querying():
            for key, value in tags.items():
                self.store.client.set_model_version_tag(
                    self.name, version, to_name(key), to_value(value, MOST_IN_TAG)
                )

    def measured(
        self, version: RegisteredVersion
    ) -> tuple[Mapping[str, float], Mapping[str, str]]:
        """The metrics and tags of the run that registered a version."""
        with self.store.querying():
            data = self.store.client.get_run(version.run_id).data
        return dict(data.metrics), dict(data.tags)

    def log_file(self, version: RegisteredVersion, file: Path, folder: str) -> None:
        """Add a file to the artifacts of the run that registered a version."""
        with self.store.querying():
            self.store.client.log_artifact(version.run_id, str(file), folder)

    def fetch_model(self, version: RegisteredVersion, out: Path) -> Path:
        """Copy the complete registered model to `out`. Returns: its folder."""
        with self.store.querying():
            import mlflow

            out.mkdir(parents=True, exist_ok=True)
            return Path(
                mlflow.artifacts.download_artifacts(
                    artifact_uri=version.address,
                    dst_path=str(out),
                    tracking_uri=self.store.uri,
                )
            )

    def fetch_adapter(self, version: RegisteredVersion, out: Path) -> Path:
        """Copy the registered model to `out`. Returns: the folder of its adapter."""
        return self.fetch_model(version, out) / ADAPTER


def _to_version(found: Any, aliases: Mapping[str, Any]) -> RegisteredVersion:
    number = str(found.version)
    return RegisteredVersion(
        name=found.name,
        version=number,
        run_id=found.run_id,
        aliases=tuple(sorted(a for a, held in aliases.items() if str(held) == number)),
        tags=dict(found.tags),
        created_ms=found.creation_timestamp,
    )
