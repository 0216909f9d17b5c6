import shutil
from pathlib import Path

import pytest
import yaml

from graft.commands import params
from graft.config.compose import compose
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with this repository's configuration, as current directory."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(path: str, old: str, new: str) -> None:
    """Change a file's text."""
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def test_params_yaml_equals_the_composition() -> None:
    params.run(check=True)


def test_a_hand_edit_is_named_by_its_key_and_both_values() -> None:
    change("params.yaml", "alpha: ", "alpha: 1")
    before = Path("params.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=r"adapter.alpha: 1\d+ in params.yaml, \d"):
        params.run(check=True)
    assert Path("params.yaml").read_text(encoding="utf-8") == before


def test_overrides_are_composed_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    params.run(override=["data=csv", "adapter.rank=3"])
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    assert (values["data"]["format"], values["adapter"]["rank"]) == ("csv", 3)
    assert "adapter.rank: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("adapter.rank=-1", "adapter.rank: .*greater"),
        ("train.seed=-1", "train.seed: .*greater than or equal to 0"),
        ("train.seed=20260102030405", "train.seed: .*less than 4294967296"),
        ("evaluate.seed=-1", "evaluate.seed: .*greater"),
        ("split.seed=4294967296", "split.seed: .*less"),
        ("+adapter.rnk=1", "adapter.rnk: unknown key; did you mean rank?"),
        ("modle=tiny", "cannot be composed: .*modle"),
        ("model=none_such", "cannot be composed: .*none_such"),
        ("adapter.rank", "cannot be composed: "),
    ],
)
def test_what_cannot_be_leaves_params_yaml_alone(override: str, told: str) -> None:
    before = Path("params.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        params.run(override=[override])
    assert Path("params.yaml").read_text(encoding="utf-8") == before


def test_an_experiment_goes_over_every_section() -> None:
    params.run(override=["+experiment=smoke"])
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    assert values["tokenize"]["max_seq_len"] == 256
    assert values["train"]["max_steps"] == 20


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("modle=tiny", "model"),
        ("model=mistral-7b-v3", "model=mistral-7b-v0.3"),
        ("adapter.rnk=3", "adapter.rank"),
        ("+experiment=domain_qa_tin", "experiment=domain_qa_tiny"),
        ("evaluate.num_resample=500", "evaluate.num_resamples"),
    ],
)
def test_a_misspelt_override_is_told_with_what_it_may_mean(
    override: str, meant: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose([override], ROOT / "configs")
    assert f"did you mean {meant}?" in str(caught.value)
    assert "search path" not in str(caught.value)


def test_what_changed_as_json() -> None:
    found = params.run(override=["adapter.rank=3", "+experiment=smoke"], json=True)
    assert found is not None
    assert found["adapter.rank"] == {"before": 32, "after": 3}
    assert found["train.max_steps"] == {"before": None, "after": 20}
    assert params.run(override=["adapter.rank=3", "+experiment=smoke"], json=True) == {}
