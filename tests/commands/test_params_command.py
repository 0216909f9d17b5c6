import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import compose_and_dump

from graft.commands import params
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]
PARAMS = Path("params.yaml")


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of this repository's configuration, as the working folder."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)


def test_it_writes_byte_for_byte_what_dvc_writes() -> None:
    overrides = ["quantization=none", "adapter.rank=7"]
    params.run(override=overrides)
    configs = str(Path("configs").absolute())
    compose_and_dump("dvc.yaml", configs, None, "config", "", overrides)
    assert PARAMS.read_bytes() == Path("dvc.yaml").read_bytes()


def test_overwritten_keys_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    params.run(override=["adapter.rank=7"])
    params.run()
    assert "1 keys changed\nadapter.rank: 7 in params.yaml" in capsys.readouterr().out


def test_check_changes_nothing_and_fails_by_the_keys_that_differ() -> None:
    params.run(override=["adapter.rank=7", "train.seed=1"])
    before = PARAMS.read_bytes()
    with pytest.raises(ConfigError, match=r"- adapter\.rank: 7 in(.|\n)*- train\.seed"):
        params.run(check=True)
    assert PARAMS.read_bytes() == before
    params.run()
    params.run(check=True)


@pytest.mark.parametrize("override", ["adapter=nope", "adapter.rnk=1", "adapter.rank"])
def test_an_impossible_override_is_an_error_with_its_name(override: str) -> None:
    with pytest.raises(ConfigError) as caught:
        params.run(override=[override])
    assert override in caught.value.where
    assert not PARAMS.exists()


def test_values_that_cannot_work_are_not_written() -> None:
    with pytest.raises(ConfigError, match=r"adapter\.rank"):
        params.run(override=["adapter.rank=-1"])
    assert not PARAMS.exists()


def test_a_params_yaml_that_is_no_yaml_is_not_overwritten() -> None:
    PARAMS.write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="not valid YAML"):
        params.run()
    assert PARAMS.read_text(encoding="utf-8") == "a: ["
