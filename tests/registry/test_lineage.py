"""The lineage document of a version."""

from dataclasses import asdict
from pathlib import Path

import pytest
from lineages import ADAPTER, LOCK, REMOTE, SOURCE, SPLITS, make_lineage

from graft import io
from graft.errors import DataError
from graft.registry.lineage import read_lineage, to_address, to_outputs


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    lineage = make_lineage(changes=("a.py",))
    io.write_json(tmp_path / "lineage.json", lineage)
    assert read_lineage(tmp_path / "lineage.json") == lineage


def test_sources_and_outputs_of_all_stages_before_evaluate_are_listed_once() -> None:
    found = {one.path: one for one in make_lineage().outputs}
    assert list(found) == [
        "data/sample",
        "data/converted",
        "data/rejects/convert",
        "reports/convert.json",
        "data/splits",
        "models/adapter",
        "src/graft",
        "data/code",
    ]
    assert (found["data/sample"].stage, found["data/sample"].md5) == ("", SOURCE)
    # Evaluate's entry in dvc.lock is that of an earlier adapter.
    assert found["models/adapter"].md5 == ADAPTER
    assert found["data/splits"].num_files == 3


def test_the_address_of_an_md5_is_that_of_dvcs_remote() -> None:
    found = {one.path: one.address for one in make_lineage().outputs}
    assert found["data/splits"] == f"{REMOTE}/files/md5/11/{SPLITS[2:]}"
    assert to_address("s3://b/", "abcd") == "s3://b/files/md5/ab/cd"
    # Sources are not known to be on the remote, and git stores the reports.
    assert found["data/sample"] == found["reports/convert.json"] == ""
    assert not any(one.address for one in to_outputs(LOCK, "", frozenset()))


def test_outputs_and_parameters_do_not_count_as_uncommitted_code() -> None:
    reports = ("reports/convert.json", "reports/metrics.json")
    changes = ("dvc.lock", "params.yaml", *reports, "src/graft/a.py")
    lineage = make_lineage(changes=changes)
    assert lineage.uncommitted == ("src/graft/a.py",)


def test_the_code_of_each_stage_is_known_by_its_digest() -> None:
    # Evaluate's entry in dvc.lock is that of an earlier evaluation.
    assert make_lineage().code == {"train": "6" * 32}
    code = make_lineage(evaluation_code="5" * 32).code
    assert code == {"train": "6" * 32, "evaluate": "5" * 32}


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"commit": None}])
def test_another_document_is_an_error(
    tmp_path: Path, change: dict[str, object]
) -> None:
    io.write_json(tmp_path / "lineage.json", asdict(make_lineage()) | change)
    with pytest.raises(DataError, match=f"{next(iter(change))}|schema version 2"):
        read_lineage(tmp_path / "lineage.json")
