"""What changes the digest of a stage's code, and what does not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from graft.stages.code_digest import Code

SOURCE = Path(__file__).parents[2] / "src"
FILES = {
    "__init__.py": "",
    "cli.py": "WIDTH = 80\n",
    "tables.py": '"""Tables."""\nfrom graft import words\nSIZE = 3\n',
    "words.py": "WORD = 'a'\n",
    "loose.py": "LOOSE = 1\n",
    "room/__init__.py": "",
    "room/inner.py": "INNER = 1\n",
    "room/page.jinja": "<p>",
    "stages/__init__.py": "",
    "stages/code.py": "",
    "stages/one.py": (
        "from typing import TYPE_CHECKING\n"
        "from graft import cli\n"
        "from graft.tables import SIZE\n"
        "if TYPE_CHECKING:\n"
        "    from graft import loose\n"
        "def run(x: int) -> int:\n"
        '    """Add."""\n'
        "    from graft.room.inner import INNER\n"
        "    return x + SIZE + INNER\n"
    ),
    "stages/two.py": "from graft.words import WORD\n",
}


@pytest.fixture(name="package")
def _package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "graft" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "graft"


def edited(package: Path, name: str, change: Callable[[str], str]) -> set[str]:
    """The stages whose digest differs after an edit."""
    before = Code(package.parent)
    digests = {stage: before.digest(stage) for stage in before.stages()}
    path = package / name
    path.write_text(change(path.read_text("utf-8")), encoding="utf-8")
    after = Code(package.parent)
    return {stage for stage in digests if after.digest(stage) != digests[stage]}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stages/one.py", '"""Add."""', '"""Add, and say so."""'),
        ("stages/one.py", '    """Add."""\n', ""),
        ("stages/one.py", "return x", "# why\n    return x"),
        ("stages/one.py", "return x + SIZE", "return (\n        x + SIZE\n    )"),
        ("tables.py", "SIZE = 3\n", 'SIZE = 3\n"""Of a table."""\n'),
        ("tables.py", "SIZE = 3", "SIZE = 0x3"),
        ("loose.py", "1", "2"),
        ("cli.py", "80", "120"),
    ],
)
def test_words_and_form_and_code_that_is_not_run_change_no_digest(
    package: Path, name: str, old: str, new: str
) -> None:
    assert edited(package, name, lambda text: text.replace(old, new)) == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        ("stages/one.py", "x + SIZE", "x - SIZE", {"one"}),
        ("tables.py", "3", "4", {"one"}),
        ("words.py", "'a'", "'b'", {"one", "two"}),
        ("room/inner.py", "1", "2", {"one"}),
        ("room/__init__.py", "", "import os\n", {"one"}),
        ("__init__.py", "", "import os\n", {"one", "two"}),
        ("words.py", "'a'", "b'a'", {"one", "two"}),
    ],
)
def test_what_a_stage_can_run_changes_its_digest_alone(
    package: Path, name: str, old: str, new: str, stages: set[str]
) -> None:
    assert edited(package, name, lambda text: text.replace(old, new) or new) == stages


def test_a_template_belongs_to_the_package_that_it_lies_in(package: Path) -> None:
    assert edited(package, "room/page.jinja", lambda text: text + "</p>") == {"one"}


def test_a_digest_does_not_depend_on_where_the_code_lies(
    package: Path, tmp_path: Path
) -> None:
    there = tmp_path / "elsewhere"
    shutil.copytree(package, there / "graft")
    assert Code(there).digest("one") == Code(package.parent).digest("one")


def test_every_stage_of_this_repository_has_a_digest_of_its_own() -> None:
    code = Code(SOURCE)
    digests = {stage: code.digest(stage) for stage in code.stages()}
    assert len(set(digests.values())) == len(digests) > 7


def test_the_data_stages_run_nothing_of_training_or_evaluation() -> None:
    code = Code(SOURCE)
    for stage in ("convert", "preprocess", "validate", "tokenize", "split"):
        rooms = {name.split(".")[1] for name in code.closure(f"graft.stages.{stage}")
                 if "." in name}  # fmt: skip
        assert not rooms & {"training", "evaluation", "serving"}
