import shutil
from pathlib import Path

import pytest

from graft.commands import deps
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]
DVC_YAML = Path("dvc.yaml")


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of this repository's line, over its source, as the working folder."""
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)


def test_deps_that_were_removed_come_back_and_all_else_stays_as_it_is() -> None:
    deps.run()
    whole = DVC_YAML.read_text(encoding="utf-8")
    assert whole.startswith("#")
    DVC_YAML.write_text(whole.replace("      - src/graft/records.py\n", ""), "utf-8")
    with pytest.raises(ConfigError, match="convert, preprocess"):
        deps.run(check=True)
    assert "src/graft/records.py" not in DVC_YAML.read_text(encoding="utf-8")
    deps.run()
    assert DVC_YAML.read_text(encoding="utf-8") == whole
    deps.run(check=True)


def test_a_stage_depends_on_what_it_imports_in_functions_and_through_others() -> None:
    found = deps.code_deps("train")
    assert "src/graft/training" in found
    assert "src/graft/records.py" in found
    assert not [path for path in found if "evaluation" in path]


def test_what_reads_and_tells_values_is_no_dependency() -> None:
    for stage in ("convert", "train", "evaluate"):
        names = {path.split("/")[2] for path in deps.code_deps(stage)}
        assert not names & {"cli.py", "params.py", "config.py", "errors.py", "tracking"}
