from pathlib import Path

import pytest

from graft.cloud.remote import set_remote
from graft.errors import ConfigError, StorageError


@pytest.mark.parametrize("url", ["", "bucket/folder", "s3://ann:pa55@bucket/folder"])
def test_an_address_with_credentials_is_refused_without_showing_it(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(ConfigError, match="GRAFT_S3_URL: is not") as caught:
        set_remote({"GRAFT_S3_URL": url}, tmp_path)
    assert "pa55" not in str(caught.value)


def test_outside_of_a_dvc_repository_the_error_gives_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Not inside a DVC repo"):
        set_remote({"GRAFT_S3_URL": "s3://bucket/folder"}, tmp_path)
