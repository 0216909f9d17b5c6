"""docs/CONFIG.md, generated from classes and comments."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from make_config_page import read_remarks, to_page, to_type

ROOT = Path(__file__).parents[2]


class Inner(BaseModel):
    """A mapping within a section."""

    size: int | None


class Sized(BaseModel):
    """A section."""

    kind: str
    inner: Inner


class Both(BaseModel):
    """All sections."""

    box: Sized


@pytest.fixture(name="configs")
def _configs(tmp_path: Path) -> Path:
    (tmp_path / "box").mkdir()
    (tmp_path / "config.yaml").write_text("defaults:\n  - box: small\n  - _self_\n")
    (tmp_path / "box/big.yaml").write_text("kind: b # of the big one\n")
    (tmp_path / "box/small.yaml").write_text(
        "# A small box.\nkind: a\ninner:\n  # In metres.\n  size: 3\n"
    )
    return tmp_path


def test_the_page_of_this_repository_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/make_config_page.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_key_is_explained_by_the_comment_next_to_or_above_it(configs: Path) -> None:
    found = read_remarks(configs / "box", "small")
    assert found == {"kind": "of the big one", "inner.size": "In metres."}


def test_a_table_has_type_default_and_meaning(configs: Path) -> None:
    page = to_page(Both, {"box": {"kind": "a|b", "inner": {"size": 3}}}, configs)
    assert '| `kind` | text | `"a\\|b"` | of the big one |' in page
    assert "| `inner.size` | integer or null | `3` | In metres. |" in page


def test_a_key_without_a_comment_is_an_error(configs: Path) -> None:
    (configs / "box/big.yaml").write_text("kind: b\n")
    with pytest.raises(KeyError, match="kind"):
        to_page(Both, {"box": {"kind": "a", "inner": {"size": 3}}}, configs)


def test_types_have_short_names() -> None:
    assert to_type(dict[str, list[float] | None]) == "text → list of number or null"
