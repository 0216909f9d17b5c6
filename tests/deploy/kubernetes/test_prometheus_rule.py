"""The cluster's rules are those of deploy/prometheus."""

from pathlib import Path

import yaml

from make_prometheus_rule import OUT, RULES, to_object, to_text


def test_the_committed_object_has_the_rules_as_they_are() -> None:
    assert OUT.read_text() == to_text(RULES.glob("*.y*ml"))


def test_groups_of_all_files_are_kept_in_order(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml"):
        group = {"name": name, "rules": [{"alert": "A", "expr": "up == 0"}]}
        (tmp_path / name).write_text(yaml.safe_dump({"groups": [group]}))
    found = to_object(tmp_path.iterdir())["spec"]["groups"]
    assert [group["name"] for group in found] == ["a.yaml", "b.yml"]
