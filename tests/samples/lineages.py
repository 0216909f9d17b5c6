"""Lineage documents for tests."""

from dataclasses import replace
from typing import Any

from graft.registry.lineage import SCHEMA_VERSION, Lineage, to_outputs
from graft.registry.lineage_versions import VersionLineage
from graft.tracking.versions import RegisteredVersion

REMOTE = "s3://bucket/graft"
SPLITS, SOURCE, ADAPTER = "1" * 32 + ".dir", "2" * 32 + ".dir", "3" * 32 + ".dir"
CONVERTED, REJECTS, CODE = "4" * 32 + ".dir", "5" * 32 + ".dir", "6" * 32
LOCK: dict[str, Any] = {
    "schema": "2.0",
    "stages": {
        "convert": {
            "deps": [{"path": "data/sample", "md5": SOURCE, "size": 9, "nfiles": 1}],
            "outs": [
                {"path": "data/converted", "md5": CONVERTED, "size": 8, "nfiles": 1},
                {"path": "data/rejects/convert", "md5": REJECTS, "size": 7},
                {"path": "reports/convert.json", "md5": "7" * 32, "size": 6},
            ],
        },
        "split": {
            "deps": [{"path": "data/converted", "md5": CONVERTED, "size": 8}],
            "outs": [{"path": "data/splits", "md5": SPLITS, "size": 5, "nfiles": 3}],
        },
        "train": {
            "deps": [
                {"path": "data/splits", "md5": SPLITS, "size": 5},
                {"path": "data/code/train", "md5": CODE, "size": 4},
            ],
            "outs": [
                {"path": "models/adapter", "md5": ADAPTER, "size": 3, "nfiles": 2},
            ],
        },
        "code": {
            "deps": [{"path": "src/graft", "md5": "8" * 32 + ".dir", "size": 2}],
            "outs": [{"path": "data/code", "md5": "9" * 32 + ".dir", "size": 1}],
        },
        "evaluate": {
            "deps": [
                {"path": "models/adapter", "md5": "0" * 32 + ".dir", "size": 3},
                {"path": "data/code/evaluate", "md5": "0" * 32, "size": 3},
            ],
            "outs": [
                {"path": "evaluation", "md5": "a" * 32 + ".dir", "size": 1},
                {"path": "reports/metrics.json", "md5": "b" * 32, "size": 1},
            ],
        },
        "certify": {  # of an earlier version
            "deps": [
                {"path": "models/adapter", "md5": "0" * 32 + ".dir", "size": 3},
                {"path": "data/code/certify", "md5": "0" * 32, "size": 3},
            ],
            "outs": [{"path": "reports/certificate.json", "md5": "d" * 32}],
        },
    },
}


def make_lineage(**changes: Any) -> Lineage:
    """A lineage; keywords change its fields."""
    lineage = Lineage(
        schema_version=SCHEMA_VERSION,
        model="model",
        evaluation="e1",
        run="r1",
        commit="c" * 40,
        changes=(),
        experiment="",
        is_tracked=True,
        evaluation_code="",
        base="models/tiny",
        base_revision="909630b2d94d4d07",
        template_hash="0123456789abcdef",
        adapter="fedcba9876543210",
        training={"device": "a device", "memory_gib": 1.0, "seconds": 60.0},
        device="CPU (x86_64, 2 threads)",
        processor="a processor",
        scores={"base": {"bleu": 0.0}, "tuned": {"bleu": 83.06}},
        versions={"python": "3.11.1", "torch": "2.13.0"},
        remote=REMOTE,
        lock=LOCK,
        lock_digest="00000000000000aa",
        params={"model": {"license": "mit"}, "task": {"name": "translation"}},
        outputs=tuple(to_outputs(LOCK, REMOTE, frozenset({"reports/convert.json"}))),
    )
    return replace(lineage, **changes)


def make_version(number: int = 3, **changes: Any) -> RegisteredVersion:
    """A registered version; keywords change its fields."""
    version = RegisteredVersion(
        name="model",
        version=str(number),
        run_id="f" * 32,
        aliases=("champion",),
        tags={"graft.evaluation": "r1-e1"},
        created_ms=0,
    )
    return replace(version, **changes)


def make_known(number: int = 3, **changes: Any) -> VersionLineage:
    """A version with its lineage; keywords change the fields of the lineage."""
    return VersionLineage(
        version=make_version(number),
        lineage=make_lineage(**changes),
        problem="",
        has_run=True,
        commit_state="present",
        commits=["d" * 40],
    )
