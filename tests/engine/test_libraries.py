"""A machine with other versions of the libraries is found."""

import pytest

from graft.engine.libraries import check_libraries, library_versions
from graft.errors import ConfigError


def test_this_machine_has_its_own_versions() -> None:
    versions = library_versions()
    assert {"polars", "pyarrow", "transformers"} <= set(versions)
    check_libraries(versions, "here")


@pytest.mark.parametrize("name", ("polars", "not-installed-anywhere"))
def test_another_version_is_named_with_its_machine(name: str) -> None:
    expected = library_versions() | {name: "0.0.1"}
    with pytest.raises(ConfigError, match=f"{name} .*, not 0.0.1") as raised:
        check_libraries(expected, "node 10.0.0.7")
    assert raised.value.where == "node 10.0.0.7"
