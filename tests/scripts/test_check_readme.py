"""The output in README is that of its code."""

import json
from pathlib import Path

import pytest

from check_readme import ROOT, main, shown_in

README = """Use it:

```python
print("Le chat dort.")
```

```text
{shown}
```
"""


def test_a_readme_with_the_output_of_its_code_passes(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(README.format(shown="Le chat dort."), "utf-8")
    assert main(tmp_path) == 0
    path.write_text(README.format(shown="Le chat tombe."), "utf-8")
    assert main(tmp_path) == 1


@pytest.mark.parametrize(
    "text", ["", "```python\nprint(1)\n```\n", "```python\n1 / 0\n```\n```text\n1\n```"]
)
def test_a_readme_without_output_or_with_broken_code_fails(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "README.md").write_text(text, "utf-8")
    assert main(tmp_path) == 1


def sentences() -> list[str]:
    """The sentences that README translates."""
    code, _ = shown_in((ROOT / "README.md").read_text(encoding="utf-8"))
    (line,) = [line for line in code.splitlines() if "predict([" in line]
    found: list[str] = json.loads(line[line.index("[") : line.rindex("]") + 1])
    return found


def english_of(line: str) -> str:
    """The English side of a row of the sample, some of which are broken on purpose."""
    try:
        return str(json.loads(line)["en"])
    except (ValueError, KeyError, TypeError):
        return ""


def test_the_demo_is_not_in_the_sample_but_all_its_words_are() -> None:
    lines = (ROOT / "data/sample/pairs.jsonl").read_text("utf-8").split("\n")
    sample = {english_of(line) for line in lines}
    words = {word.strip(".,?!").lower() for text in sample for word in text.split()}
    for sentence in sentences():
        assert sentence not in sample
        assert {word.strip(".,?!").lower() for word in sentence.split()} <= words


@pytest.mark.slow
def test_the_registered_model_prints_the_output_of_readme() -> None:
    if not (ROOT / "models/adapter/graft.json").is_file():
        pytest.skip("nothing is trained here; `make repro && make verify` checks this")
    assert main() == 0
