import shutil
from pathlib import Path

import pytest
import yaml

import validate_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the default configuration, as the working folder."""
    files = ["params.yaml", "configs/config.yaml", "configs/quantization/none.yaml"]
    files += ["configs/data/base.yaml", "configs/train/base.yaml"]
    for item in yaml.safe_load((ROOT / "configs/config.yaml").read_text())["defaults"]:
        if isinstance(item, dict):
            [(group, name)] = item.items()
            named = name and "$" not in name  # others are optional, by task and data
            files += [f"configs/{group}/{name}.yaml"] if named else []
    requirements = (ROOT / "configs/requirements").glob("*/*.yaml")
    files += [str(path.relative_to(ROOT)) for path in requirements]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    monkeypatch.chdir(tmp_path)


def change(file: str, old: str, new: str) -> None:
    text = Path(file).read_text(encoding="utf-8")
    assert old in text
    Path(file).write_text(text.replace(old, new), encoding="utf-8")


def faults() -> list[str]:
    return validate_config.all_errors()[1]


def test_the_configurations_of_this_repository_are_valid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert validate_config.main([]) == 0
    assert capsys.readouterr().out.endswith("compositions are valid\n")


def test_all_errors_are_printed_at_once_each_with_file_and_key() -> None:
    change("configs/convert/default.yaml", "max_rejects", "max_rejets")
    change("configs/adapter/lora.yaml", "rank: 32", "rank: -1")
    change("configs/quantization/none.yaml", "method: none", "method: nine")
    change("configs/task/translation.yaml", "name: translation", "name: translate")
    change("configs/task/translation.yaml", "bleu_3]", "bleu_5]")
    told = "\n".join(faults())
    for start in (
        "configs/convert/default.yaml: convert.max_rejets: unknown key; did you mean",
        "configs/adapter/lora.yaml: adapter.rank: ",
        "configs/quantization/none.yaml: quantization.method: ",
        "configs/task/translation.yaml: task.name: unknown 'translate'",
        "configs/task/translation.yaml: evaluate.metrics: unknown 'bleu_5'",
    ):
        assert told.count(start) == 1


def test_each_broken_file_is_named() -> None:
    broken = [
        b"a: [1\n",
        b"- 1\n",
        b"5",
        b"\xff\xfe\xfa",
        b"defaults: 3",
        b"rank: ${no}",
    ]
    for number, content in enumerate(broken):
        Path(f"configs/adapter/{number}.yaml").write_bytes(content)
    named = [line.partition(": ")[0] for line in faults()]
    assert named == [f"configs/adapter/{number}.yaml" for number in range(len(broken))]


def test_an_error_in_the_default_is_printed_once() -> None:
    Path("configs/adapter/lora.yaml").write_text("a: [1\n", encoding="utf-8")
    (told,) = faults()
    assert "cannot be composed" in told and "adapter/lora.yaml" in told


def test_an_experiment_is_checked_with_the_defaults() -> None:
    Path("configs/experiment").mkdir(exist_ok=True)
    text = "# @package _global_\nadapter: {rnk: 8}\n"
    Path("configs/experiment/mine.yaml").write_text(text, encoding="utf-8")
    assert faults() == [
        "configs/experiment/mine.yaml: adapter.rnk: unknown key; did you mean rank?"
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "params.yaml: data.name: '(missing)' in params.yaml"),
        ("a: [", "params.yaml: not valid YAML"),
        ("- a", "params.yaml: not valid YAML"),
    ],
)
def test_a_params_yaml_that_differs_from_the_composition_is_an_error(
    content: str | None, told: str
) -> None:
    Path("params.yaml").unlink()
    if content is not None:
        Path("params.yaml").write_text(content, encoding="utf-8")
    assert any(line.startswith(told) for line in faults())


def test_only_the_composition_with_overrides_is_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert validate_config.main(["adapter.rank=-1"]) == 1
    assert "error: adapter.rank=-1: adapter.rank: " in capsys.readouterr().err
