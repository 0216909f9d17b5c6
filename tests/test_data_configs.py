"""The YAMLs of configs/data: each is valid with the defaults of base.yaml."""

import subprocess
import sys
from pathlib import Path

import pytest

from graft.config import DataConfig
from test_pipeline import load_yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "configs" / "data"
CONFIGS = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "base")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_source_is_valid_with_the_defaults_of_base(path: Path) -> None:
    data = DataConfig.model_validate(load_yaml(path))
    assert data.fields and data.files


def test_there_is_a_yaml_for_every_format() -> None:
    formats = {DataConfig.model_validate(load_yaml(path)).format for path in CONFIGS}
    assert len(formats) == 9


def pipeline(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "scripts" / "test_pipeline.py")
    return subprocess.run(
        [sys.executable, script, *arguments, "--until", "validate"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_any_source_goes_through_the_data_stages_by_its_yaml(tmp_path: Path) -> None:
    for language in ("en", "fr"):
        lines = [f"{language} sentence {n}" for n in range(150)]
        (tmp_path / f"a.{language}").write_text("\n".join(lines))
    (tmp_path / "mine.yaml").write_text(
        "defaults: [base, _self_]\n"
        "name: mine\n"
        "format: parallel\n"
        f"root: {tmp_path}\n"
        "files: {test: {en: a.en, fr: a.fr}}\n"
        "fields: {source: en, target: fr}\n"
    )
    done = pipeline(str(tmp_path / "mine.yaml"))
    assert done.returncode == 0, done.stderr
    assert "all rows are accounted for" in done.stdout


def test_a_source_that_is_not_there_ends_in_a_message_without_traceback(
    tmp_path: Path,
) -> None:
    flags = ["--format", "jsonl", "--files", "all=no.jsonl"]
    done = pipeline("--root", str(tmp_path), *flags, "--fields", "source=a", "target=b")
    assert done.returncode == 1
    assert "no such file" in done.stderr and "Traceback" not in done.stderr
