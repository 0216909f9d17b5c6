"""The lineage of a version as text and as a graph."""

import re
from dataclasses import replace

from lineages import SPLITS, make_known

from graft.registry.lineage_data import Finding
from graft.registry.lineage_graph import to_mermaid, to_page, to_stages
from graft.registry.lineage_text import findings_text, to_text


def test_the_text_has_what_a_version_was_made_of() -> None:
    text = to_text(make_known())
    for part in (
        "model 3 (champion), registered 1970-01-01 00:00 UTC",
        "c" * 40,
        f"committed in {'d' * 40}",
        "models/tiny@909630b2d94d4d07",
        "0123456789abcdef",
        "fedcba9876543210",
        "graft.run r1",
        "a device, 1.00 GiB, 60 s",
        "CPU (x86_64, 2 threads)",
        "torch 2.13.0",
        f"s3://bucket/graft/files/md5/11/{SPLITS[2:]}",
    ):
        assert part in text
    assert "not in this repository" not in text and "incomplete" not in text


def test_what_was_lost_is_named() -> None:
    known = replace(
        make_known(changes=("src/graft/a.py",), is_tracked=False),
        commit_state="missing",
        commits=[],
        has_run=False,
    )
    text = to_text(known)
    assert f"{'c' * 40}: commit not in this repository" in text
    assert "with uncommitted changes: src/graft/a.py" in text
    assert "was not run by DVC" in text and "the run's artifacts have it" in text
    assert "no longer has" in text
    assert "on no branch" in to_text(replace(known, commit_state="unreachable"))


def test_a_rebuilt_lineage_says_what_is_unknown() -> None:
    unknown = make_known(
        commit="", lock={}, outputs=(), training={}, versions={}, adapter="", base=""
    )
    text = to_text(replace(unknown, problem="its run has no artifact", commits=[]))
    assert "incomplete" in text and "its run has no artifact" in text
    assert "data: unknown" in text and text.count("unknown") >= 5


def test_the_answers_are_counted_and_unknown_ones_named() -> None:
    findings = [
        Finding("1", (), "train", "pairs.jsonl:1"),
        Finding("2", ("champion",), "absent", "neither"),
        Finding("3", (), "unknown", "md5 1 is missing"),
    ]
    text = findings_text("model: a1", findings)
    assert "version 1" in text and "LEARNED" in text and "UNKNOWN" in text
    assert "1 of 3 versions trained on it; 1 unknown" in text
    assert "unknown" not in findings_text("model: a1", findings[:2])


def test_stages_come_after_those_whose_outputs_they_read() -> None:
    names = [stage.name for stage in to_stages(make_known())]
    assert names == ["convert", "split", "train", "evaluate"]


def test_each_edge_of_the_flowchart_joins_two_of_its_nodes() -> None:
    lines = to_mermaid(make_known()).splitlines()
    assert lines[0] == "flowchart LR"
    nodes = {match[1] for line in lines if (match := re.match(r"  (\w+)[\[({]", line))}
    edges = [re.fullmatch(r"  (\w+) -.*?-?> (\w+)", line) for line in lines]
    joined = {name for edge in edges if edge for name in edge.groups()}
    assert {"version", "base", "commit"} <= joined <= nodes
    assert "  d_data_splits --> stage_train" in lines
    assert "  stage_evaluate --> version" in lines


def test_names_cannot_end_a_label_or_a_tag() -> None:
    known = make_known(base='a"<script>')
    assert '"<' not in to_mermaid(known) and "<script>" not in to_mermaid(known)
    page = to_page(known)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_the_page_is_one_file_and_equal_for_equal_lineages() -> None:
    page = to_page(make_known())
    assert page == to_page(make_known())
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    assert 'href="#data/splits"' in page and 'id="data/splits"' in page
