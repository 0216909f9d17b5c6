"""Past runs of a model, their artifacts and registered versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import RegistryConfig
from graft.tracking.client import StoreClient
from graft.tracking.store import LATER


@dataclass(frozen=True)
class PastRun:
    """A run in the store. `version` is the latest one that it registered, if any;
    `params` are named SECTION.KEY, with strings as values."""

    run_id: str
    name: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    version: str | None
    aliases: tuple[str, ...]

    @property
    def is_measured(self) -> bool:
        """Whether its stage evaluate has logged scores."""
        return any(name.startswith("tuned/") for name in self.metrics)


class History:
    """The runs of an experiment, and the versions of a registered model.

    Args:
        registry: address, experiment, and name of the model.
    Raises: TrackingError if the store does not respond or has no such experiment. The
        methods raise it, too.
    """

    def __init__(self, registry: RegistryConfig) -> None:
        self._name, self._store = registry.name, StoreClient(registry)
        self._client = self._store.client
        with self._store.querying():
            found = self._client.get_experiment_by_name(registry.experiment)
        if found is None:
            raise self._store.not_found(f"it has no experiment {registry.experiment}")
        self._experiment = found.experiment_id

    def names(self) -> list[str]:
        """Names of the models that the runs of the experiment trained."""
        return sorted({run.data.params.get("registry.name", "") for run in self._all()})

    def runs(self) -> list[PastRun]:
        """The runs that trained this model, latest first."""
        with self._store.querying():
            known = self._client.search_model_versions(f"name = '{self._name}'")
            aliases = (
                self._client.get_registered_model(self._name).aliases if known else {}
            )
        versions: dict[str, int] = {}
        for version in known:
            latest = max(int(version.version), versions.get(version.run_id, 0))
            versions[version.run_id] = latest
        return [
            _past(run, versions.get(run.info.run_id), aliases)
            for run in self._all()
            # A run keeps the name from its training; its adapter may be registered
            # under another name later.
            if run.data.params.get("registry.name") == self._name
            or run.info.run_id in versions
        ]

    def fetch(self, run_id: str, folder: str, out: Path) -> Path | None:
        """Copy a folder of a run's artifacts to `out`; None if the run has none."""
        return self._store.fetch(run_id, folder, out)

    def tags(self, version: str) -> Mapping[str, str]:
        """Tags of one version."""
        with self._store.querying():
            found = self._client.get_model_version(self._name, version)
        return dict(found.tags)

    def mark(self, version: str, key: str) -> None:
        """Set the tag `key` of one version to `true`, and remove it from the others."""
        with self._store.querying():
            for other in self._client.search_model_versions(f"name = '{self._name}'"):
                if key in other.tags and str(other.version) != version:
                    self._client.delete_model_version_tag(
                        self._name, str(other.version), key
                    )
            self._client.set_model_version_tag(self._name, version, key, "true")

    def _all(self) -> list[Any]:
        """All runs of the experiment, latest first."""
        found: list[Any] = []
        token: str | None = ""
        with self._store.querying():
            while token is not None:
                page = self._client.search_runs(
                    [self._experiment],
                    order_by=["attributes.start_time DESC"],
                    page_token=token or None,
                )
                found += page
                token = page.token or None
        return found


def _past(run: Any, version: int | None, aliases: Mapping[str, Any]) -> PastRun:
    mine = version is not None
    tags: Mapping[str, str] = run.data.tags
    later = {n.removeprefix(LATER): v for n, v in tags.items() if n.startswith(LATER)}
    return PastRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        params={**run.data.params, **later},
        metrics=run.data.metrics,
        version=str(version) if mine else None,
        aliases=tuple(
            sorted(a for a, v in aliases.items() if mine and int(v) == version)
        ),
    )
