from pathlib import Path

import pytest

from graft.errors import ModelError
from graft.models.files import model_digest
from graft.serving.base_folder import find_base


def make_model(folder: Path, content: str) -> str:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(content)
    return model_digest(folder)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with GRAFT_ROOT beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GRAFT_ROOT", str(tmp_path / "root"))
    return tmp_path


def test_a_folder_is_found_here_or_in_graft_root(elsewhere: Path):
    revision = make_model(elsewhere / "root" / "base", "{}")
    assert find_base("base", revision) == str(elsewhere / "root" / "base")


def test_of_two_folders_the_one_with_the_digest_of_training_is_taken(elsewhere: Path):
    make_model(elsewhere / "here" / "base", "[]")
    revision = make_model(elsewhere / "root" / "base", "{}")
    assert find_base("base", revision) == str(elsewhere / "root" / "base")


@pytest.mark.usefixtures("elsewhere")
def test_a_hub_id_needs_a_commit():
    assert find_base("owner/base", "0" * 40) == "owner/base"
    with pytest.raises(ModelError, match="GRAFT_ROOT"):
        find_base("owner/base", "0" * 16)
