import pytest

from graft.cloud.checkpoint_remote import VARIABLE, find_checkpoint_remote
from graft.errors import ConfigError


def test_there_is_no_remote_unless_it_is_configured() -> None:
    assert find_checkpoint_remote({}) is None
    assert find_checkpoint_remote({VARIABLE: ""}) is None


def test_the_address_is_that_of_the_environment() -> None:
    found = find_checkpoint_remote({VARIABLE: "s3://bucket/checkpoints/"})
    assert found is not None and found.address == "s3://bucket/checkpoints"


@pytest.mark.parametrize(
    "address", ("bucket", "s3://", "://x", "s3://key:pa55word@bucket/x")
)
def test_what_is_no_address_without_credentials_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as error:
        find_checkpoint_remote({VARIABLE: address})
    assert VARIABLE in str(error.value) and "pa55word" not in str(error.value)
