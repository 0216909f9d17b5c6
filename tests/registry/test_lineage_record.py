"""What is recorded of the machine and the pipeline at registration."""

from pathlib import Path

from graft.registry.lineage_record import processor_name, uncached_outputs


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
