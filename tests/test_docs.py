"""Everything that the documentation quotes and links exists."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "SETUP.md", *(ROOT / "docs").glob("*.md")]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
QUOTED = re.compile(r"\*\*`([^`]+)`\*\*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_map_of_readme_has_every_package_and_nothing_else() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = re.findall(r"^\| (`src/graft/.*?) \|", readme, re.MULTILINE)
    named = re.findall(r"`(?:src/graft/)?(\w+)/`", " ".join(lines))
    packages = {path.parent.name for path in (ROOT / "src/graft").glob("*/__init__.py")}
    assert sorted(named) == sorted(packages)


def test_the_badges_of_readme_say_what_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    licence = (ROOT / "docs/images/licence.svg").read_text("utf-8")
    assert f">{project['license']}</text>" in licence
    workflow = (ROOT / ".github/workflows/python-tests.yml").read_text("utf-8")
    tested = re.search(r"python-version: \[(.*)\]", workflow)
    assert tested is not None
    versions = " | ".join(re.findall(r"[\d.]+", tested[1]))
    python = (ROOT / "docs/images/python.svg").read_text("utf-8")
    assert f">{versions}</text>" in python
    assert project["requires-python"] == f">={versions.split()[0]}"


def messages() -> list[str]:
    """All strings of the code, with … for interpolated values."""
    found = []
    for folder in ("src", "scripts"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.JoinedStr):
                    parts = [p.value if isinstance(p, ast.Constant) else "…"
                             for p in node.values]  # fmt: skip
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return found


def test_every_message_that_troubleshooting_explains_is_one_of_the_code() -> None:
    page = (ROOT / "docs/TROUBLESHOOTING.md").read_text("utf-8")
    quoted, known = QUOTED.findall(page), messages()
    assert len(quoted) > 10
    missing = [text for text in quoted if not any(text in message for message in known)]
    assert missing == []
