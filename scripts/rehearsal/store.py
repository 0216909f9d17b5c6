"""A registry with versions for all faults."""

import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import graft
from graft import tracking
from graft.config import RegistryConfig
from graft.config.params import Params
from graft.evaluation.outputs import DRIFT
from graft.inference.results import Decoding
from graft.monitoring.drift.analysis import usable_rows
from graft.monitoring.drift.profile import (
    FILE,
    Profile,
    ProfileFacts,
    write_profile,
)
from graft.monitoring.request_log import read_rows
from graft.prompts import load_template
from graft.registry.decisions import CHAMPION, Decision
from graft.registry.loading import start_decision
from graft.registry.log import CANARY_ENDED, DecisionLog
from graft.registry.packaged_code import write_code
from graft.tracking.versions import RegisteredVersion, Versions
from rehearsal.adapters import make_garbage, train_adapter

CANARY = "challenger"


@dataclass
class Store:
    """Versions in a tracking store.

    Args:
        params: whose `registry.tracking_uri` is the store.
        folder: for adapters.
    """

    params: Params
    folder: Path
    _adapters: dict[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> RegistryConfig:
        """The section `registry`."""
        return self.params.registry

    @property
    def versions(self) -> Versions:
        """The versions now."""
        return Versions(self.registry)

    def fill(self) -> None:
        """Train an adapter and write a broken one; register both once."""
        write_code(Path(graft.__file__).parent, self.folder / "code/graft")
        if not (self.folder / "good").exists():
            train_adapter(self.params, self.folder / "good/adapter")
        make_garbage(self.params, self.folder / "garbage/adapter")
        for name in ("good", "garbage"):
            self._adapters[name] = self._register(name)

    def add(self, adapter: str) -> str:
        """Another version of an adapter, `good` or `garbage`. Returns: its number."""
        first = self.versions.find(self._adapters[adapter])
        client = self.versions.store.client
        source = client.get_model_version(first.name, first.version)
        made = client.create_model_version(
            first.name,
            source.source,
            first.run_id,
            first.tags,
            model_id=source.source.rpartition("/")[2],
        )
        return str(made.version)

    def promote(self, number: str, reason: str) -> None:
        """Make a version champion without the gate, as a decision of the log."""
        log = DecisionLog.open(self.registry)
        version = log.versions.find(number)

        def decide(_: object, champion: RegisteredVersion | None) -> Decision:
            made = start_decision(log, version, champion, "make rehearse", reason)
            return replace(made, action="promote")

        log.record(decide)

    def enter_canary(self, number: str) -> None:
        """Give a version the canary's alias."""
        self.versions.set_alias(CANARY, number)

    def end_of(self, number: str) -> str:
        """Why the canary of a version ended; empty if it has not."""
        return self.versions.find(number).tags.get(f"{CANARY_ENDED}.reason", "")

    def register_profile(self, requests: Path) -> None:
        """Let the champion have been trained on what users have sent so far.

        Args:
            requests: folder of the request log.
        """
        rows = usable_rows(read_rows(requests))
        template = load_template(self.params.model, self.params.prompt)
        facts = ProfileFacts(rows.num_rows, template.hash, opens_documents=False)
        path = self.folder / FILE
        write_profile(path, Profile(rows, facts))
        champion = self.versions.find(CHAMPION)
        self.versions.store.client.log_artifact(champion.run_id, str(path), DRIFT)

    def holder(self, alias: str) -> str | None:
        """The number of the version that has an alias."""
        found = self.versions.holder(alias)
        return found.version if found else None

    @property
    def champion(self) -> str | None:
        """The number of the champion."""
        return self.holder(CHAMPION)

    def _register(self, name: str) -> str:
        package = Path(graft.__file__).parent
        log = self.folder / f"{name}.jsonl"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MLflow and PEFT
            with tracking.start_run(self.registry, log) as run:
                number = tracking.register_adapter(
                    run,
                    self.registry,
                    self.folder / name / "adapter",
                    code=package / "serving/registered_model.py",
                    package=self.folder / "code/graft",
                    settings={"decoding": asdict(Decoding.of(self.params.generation))},
                    tags={},
                    aliases=[],
                )
        if not number:
            raise SystemExit(f"error: {name} was not registered")
        return str(number)
