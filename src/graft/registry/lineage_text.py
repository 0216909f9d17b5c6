"""The lineage of a version, and answers about data, as text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from graft.io import align
from graft.registry.lineage import DataOutput, Lineage
from graft.registry.lineage_commits import CommitState
from graft.registry.lineage_data import Finding, State
from graft.registry.lineage_versions import VersionLineage

MAX_SHOWN = 5
"""Most changed files and commits that are listed."""
ANSWERS: Mapping[State, str] = {
    "train": "LEARNED",
    "validation": "validation",
    "test": "test",
    "rejected": "rejected",
    "used": "TRAINED",
    "stored": "stored",
    "absent": "no",
    "unknown": "UNKNOWN",
}
COMMITS: Mapping[CommitState, str] = {
    "present": "",
    "unreachable": ": amended or rebased away, on no branch of this repository",
    "missing": ": commit not in this repository",
}


def to_text(known: VersionLineage) -> str:
    """The lineage of a version, one fact a line, and a table of its data."""
    rows = [
        ("" if number else name, text)
        for name, texts in _facts(known)
        for number, text in enumerate(texts)
    ]
    return "\n".join([*align(rows), "", *to_table(known.lineage.outputs)])


def to_table(outputs: Sequence[DataOutput]) -> list[str]:
    """Lines with path, stage, bytes, md5 and address of each output."""
    if not outputs:
        return ["data: unknown, since no commit of this repository has its dvc.lock"]
    rows = [("path", "stage", "bytes", "md5", "address on the remote")]
    for one in outputs:
        where = one.address or "-"
        rows.append((one.path, one.stage or "source", f"{one.size:,}", one.md5, where))
    return align(rows, right={2})


def findings_text(question: str, findings: Sequence[Finding]) -> str:
    """A line for each version, and a count of the answers."""
    rows = [
        (
            f"version {one.version}",
            ", ".join(one.aliases),
            ANSWERS[one.state],
            one.detail,
        )
        for one in findings
    ]
    states = [one.state for one in findings]
    learned = sum(state in ("train", "used") for state in states)
    unknown = states.count("unknown")
    end = f"{learned} of {len(findings)} versions trained on it"
    end += f"; {unknown} unknown, so this answer is not complete" if unknown else ""
    return "\n".join([question, "", *align(rows or [("no versions",)]), "", end])


def _facts(known: VersionLineage) -> Iterator[tuple[str, list[str]]]:
    """Names and lines of text; an unknown fact is named as unknown."""
    version, lineage = known.version, known.lineage
    aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
    created = datetime.fromtimestamp(version.created_ms / 1000, UTC)
    when = created.strftime("%Y-%m-%d %H:%M UTC")
    yield "version", [f"{version.name} {version.version}{aliases}, registered {when}"]
    if known.problem:
        yield "incomplete", [f"{known.problem}; the rest is from tags and git"]
    yield "commit", list(_commit(known))
    yield "dvc.lock", list(_lock(known))
    yield "base", [f"{lineage.base}@{lineage.base_revision}" if lineage.base else "?"]
    yield "template", [lineage.template_hash or "unknown"]
    yield "adapter", [lineage.adapter or "unknown"]
    gone = "" if known.has_run else ", which the tracking store no longer has"
    yield "run", [f"{version.run_id}{gone}; graft.run {lineage.run or 'unknown'}"]
    if lineage.experiment:
        yield "experiment", [lineage.experiment]
    yield "training", [_training(lineage)]
    yield "generation", [lineage.device or "unknown"]
    versions = [f"{name} {found}" for name, found in lineage.versions.items()]
    yield "libraries", [", ".join(versions) or "unknown"]


def _commit(known: VersionLineage) -> Iterator[str]:
    lineage = known.lineage
    if not lineage.commit:
        yield "unknown"
        return
    yield f"{lineage.commit}{COMMITS[known.commit_state]}"
    if changed := lineage.uncommitted:
        yield f"with uncommitted changes: {_some(changed)}"
    else:
        yield "no uncommitted changes but outputs of the pipeline"


def _lock(known: VersionLineage) -> Iterator[str]:
    lineage = known.lineage
    yield lineage.lock_digest or "unknown"
    if not lineage.is_tracked and not known.problem:
        yield "stage evaluate was not run by DVC: dvc.lock may describe other outputs"
    if known.commits:
        yield f"committed in {_some(known.commits)}"
    elif lineage.lock:
        yield "in no commit of this repository; the run's artifacts have it"


def _training(lineage: Lineage) -> str:
    machine = lineage.training
    if not machine:
        return "unknown"
    return f"{machine['device']}, {machine['memory_gib']:.2f} GiB, " + (
        f"{machine['seconds']:,.0f} s"
    )


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - MAX_SHOWN
    return ", ".join(texts[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
