"""A folder on a real S3 server."""

from pathlib import Path

import pytest
from s3_server import make_environment, serve_s3

from graft.cloud.remote_folder import RemoteFolder
from graft.errors import StorageError


def test_files_on_s3_are_listed_read_and_removed_and_errors_have_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"rows")
    with serve_s3() as endpoint:
        for name, value in make_environment(endpoint).items():
            monkeypatch.setenv(name, value)
        remote = RemoteFolder("s3://data/graft/requests/")
        assert remote.names() == set()
        remote.put(file)
        assert RemoteFolder(remote.address).names() == {"a.parquet"}
        remote.fetch("a.parquet", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"rows"
        remote.remove("a.parquet")
        remote.remove("a.parquet")
        assert remote.names() == set()
        with pytest.raises(StorageError, match="no_such_bucket") as raised:
            RemoteFolder("s3://no_such_bucket/x").put(file)
        assert "pa55word" not in str(raised.value)
