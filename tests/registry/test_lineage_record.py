"""What is recorded of the machine and the pipeline at registration."""

from pathlib import Path
from types import SimpleNamespace

from graft.registry.lineage import DataOutput
from graft.registry.lineage_record import log_data, processor_name, uncached_outputs


def test_the_processor_is_the_first_model_name_or_empty(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    assert processor_name(file) == ""
    file.write_text("processor\t: 0\nmodel name\t: A: B\nmodel name\t: C\n")
    assert processor_name(file) == "A: B"
    file.write_text("processor\t: 0\n")
    assert processor_name(file) == ""


def test_outputs_without_cache_are_those_of_git(tmp_path: Path) -> None:
    file = tmp_path / "dvc.yaml"
    assert uncached_outputs(file) == frozenset()
    file.write_text("""
stages:
  a:
    outs: [data/a, {reports/a.json: {cache: false}}, {data/b: {cache: true}}]
    metrics:
      - reports/b.json: {cache: false}
      - reports/c.json:
""")
    assert uncached_outputs(file) == {"reports/a.json", "reports/b.json"}


def test_the_runs_inputs_are_sources_and_examples_with_the_md5_of_dvc() -> None:
    outputs = [
        DataOutput("", "data/raw.csv", "a1", 1, 1, ""),
        DataOutput("", "models/tiny", "a2", 1, 1, ""),
        DataOutput("preprocess", "data/clean", "b.dir", 1, 1, "s3://bucket/b.dir"),
        DataOutput("preprocess", "data/rejects/preprocess", "c.dir", 1, 1, ""),
    ]
    logged = []
    log_data(
        SimpleNamespace(log_dataset=lambda *one: logged.append(one)),
        SimpleNamespace(outputs=outputs),
        SimpleNamespace(data={"name": "news"}, digests={"test split": "d"}),
    )
    assert logged == [
        ("data/raw.csv", "data/raw.csv", "a1", "source"),
        ("data/clean", "s3://bucket/b.dir", "b.dir", "preprocess"),
        ("news-test", "data/splits/test", "d", "test"),
    ]
