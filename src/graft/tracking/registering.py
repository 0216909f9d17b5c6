"""Register the adapter of a run as a version: model, tags, aliases, description."""

from collections.abc import Mapping, Sequence
from typing import Any

from graft.tracking.journal import FILES, Event, Journal
from graft.tracking.model_signature import log_model
from graft.tracking.place import commit_address

EVALUATION_TAG = "graft.evaluation"
"""Tag of a version: the run and the evaluation for which it was registered."""
WRITTEN = "*Written by stage evaluate.*"
"""End of a description; one that a person wrote ends otherwise, and is kept."""
PAGES = {
    "model card": "evaluation/README.md",
    "report": "evaluation/report.html",
    "examples with both answers": "evaluation/examples.json",
    "lineage": "lineage/lineage.json",
}
"""Artifacts of the run to which the description links."""


class Registration:
    """Registers versions for one run.

    Args:
        mlflow: the module.
        client: mlflow.MlflowClient.
        journal: of the run.
        run: MLflow's id of it.
    """

    def __init__(self, mlflow: Any, client: Any, journal: Journal, run: str) -> None:
        self._mlflow, self._client = mlflow, client
        self._journal, self._run = journal, run

    def register(self, event: Event) -> str:
        """Log and register the adapter once per evaluation, and set tags, aliases and
        description. Returns: the version."""
        values, client = event.values, self._client
        name = values["name"]
        key = self._journal.events[0].values["key"]
        sign = f"{key}-{values.get('evaluation') or event.number}"
        known = client.search_model_versions(f"name = '{name}'")
        # A version whose certificate failed is replaced: its files cannot change.
        mine = [
            v
            for v in known
            if v.tags.get(EVALUATION_TAG) == sign
            and v.tags.get("certificate") != "failed"
        ]
        version = str(mine[0].version if mine else self._new_version(name, event))
        tags: dict[str, Any] = values["tags"] | {EVALUATION_TAG: sign}
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        self._set_aliases(name, version, values.get("aliases", ()))
        if text := values.get("description"):
            self._describe(name, version, text)
        return version

    def _new_version(self, name: str, event: Event) -> str:
        """Log the adapter as a model from code, with graft's own code, and register
        it."""
        files = {
            part: str(self._journal.file(event, part))
            for part in FILES["register"]
            if event.values.get(part)
        }
        with self._mlflow.start_run(run_id=self._run, log_system_metrics=False):
            logged = log_model(
                self._mlflow,
                code=files.pop("code"),
                package=files.pop("package", None),
                artifacts=files,
                model_config=event.values.get("settings") or {},
                pip_requirements=event.values["requirements"],
                registered_model_name=name,
            )
        return str(logged.registered_model_version)

    def _set_aliases(self, name: str, version: str, wanted: Sequence[str]) -> None:
        for alias in wanted:
            self._client.set_registered_model_alias(name, alias, version)
        held = self._client.get_registered_model(name).aliases
        for alias, holder in held.items():
            # Only a decision of the gate moves the alias champion (graft.registry).
            if not wanted and str(holder) == version and alias != "champion":
                self._client.delete_registered_model_alias(name, alias)

    def _describe(self, name: str, version: str, text: str) -> None:
        present = self._client.get_model_version(name, version).description or ""
        if present and not present.endswith(WRITTEN):
            return
        run = self._client.get_run(self._run)
        text = "\n\n".join([text, " · ".join(to_links(run)), WRITTEN])
        self._client.update_model_version(name, version, text)


def to_links(run: Any) -> list[str]:
    """Markdown links from the version to its run, the run's pages and its commit.

    Addresses are relative to MLflow's page, so they hold wherever it is served.
    """
    place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    links = [f"[run {run.info.run_name}]({place})"]
    links += [f"[{name}]({place}/artifacts/{path})" for name, path in PAGES.items()]
    tags: Mapping[str, str] = run.data.tags
    if commit := tags.get("git.commit"):
        dirty = " with uncommitted changes" if tags.get("git.dirty") == "true" else ""
        address = commit_address(commit)
        shown = f"[`{commit[:7]}`]({address})" if address else f"`{commit[:7]}`"
        links.append(f"commit {shown}{dirty}")
    return links
