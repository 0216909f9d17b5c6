"""Data by their md5, in DVC's cache and on a remote that is a folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from graft.cloud.data import MissingDataError, StoredData, md5_of, remote_address
from graft.errors import StorageError


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository under DVC whose data are only on the remote."""
    root = tmp_path_factory.mktemp("place") / "root"
    for name in ("a", "b/c"):
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    remote = root.with_name("remote")
    for words in (
        ("init", "-q", "--no-scm"),
        ("remote", "add", "-q", "-d", "there", str(remote)),
        ("add", "-q", "data"),
        ("push", "-q"),
    ):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True)
    return root


def empty_cache(root: Path) -> None:
    """Remove all files of the cache."""
    for file in (root / ".dvc/cache").rglob("*"):
        if file.is_file():
            file.unlink()


def test_a_folder_is_fetched_once_and_linked(root: Path, tmp_path: Path) -> None:
    md5 = md5_of(root, root / "data")
    assert md5.endswith(".dir")
    empty_cache(root)
    data = StoredData(root)
    assert not data.in_cache(md5)
    out = data.link(md5, tmp_path / "out")
    assert (out / "a").read_text() == "a" and (out / "b/c").read_text() == "b/c"
    assert data.in_cache(md5)
    file = data.link(md5_of(root, root / "data/a"), tmp_path / "file")
    assert file.read_text() == "a"


def test_a_folder_of_which_one_file_is_missing_is_missing(
    root: Path, tmp_path: Path
) -> None:
    part = md5_of(root, root / "data/a")
    empty_cache(root)
    (lost,) = root.with_name("remote").rglob(part[2:])
    content = lost.read_bytes()
    lost.unlink()
    try:
        with pytest.raises(MissingDataError, match="neither in the cache nor on"):
            StoredData(root).link(md5_of(root, root / "data"), tmp_path / "out")
    finally:
        lost.write_bytes(content)


def test_an_unknown_md5_is_missing(root: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="md5 0000"):
        StoredData(root).link("0" * 32, tmp_path / "out")


def test_a_folder_that_is_not_under_dvc_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not a repository under DVC"):
        StoredData(tmp_path)


@pytest.mark.parametrize(
    ("config", "address"),
    [
        ("", ""),
        ("[core]\nremote = s3\n['remote \"s3\"']\nurl = s3://b/g\n", "s3://b/g"),
        (
            "[core]\nremote = w\n['remote \"w\"']\nurl = https://ann:pa55@h.org/g\n",
            "https://h.org/g",
        ),
        ("[core]\nremote = missing\n", ""),
        ("[core\n", ""),
    ],
)
def test_the_address_of_the_default_remote_has_no_credentials(
    tmp_path: Path, config: str, address: str
) -> None:
    assert remote_address(tmp_path) == ""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(config, encoding="utf-8")
    assert remote_address(tmp_path) == address
