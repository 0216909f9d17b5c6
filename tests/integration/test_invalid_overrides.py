"""What `dvc exp run -S` leaves where its overrides cannot work."""

from pathlib import Path

import pytest
from toy_repo import ToyRepo

STAGE = {
    "cmd": "echo ${adapter.rank} > out",
    "params": ["adapter.rank"],
    "outs": ["out"],
}


@pytest.fixture
def repo(tmp_path: Path) -> ToyRepo:
    return ToyRepo(tmp_path / "repo", {"one": STAGE}, {})


@pytest.mark.slow
def test_an_override_that_cannot_work_leaves_params_yaml_byte_for_byte(
    repo: ToyRepo,
) -> None:
    repo("dvc", "exp", "run", "-S", "adapter.rank=5")  # not what git has
    before = (repo.folder / "params.yaml").read_bytes()
    status = repo("git", "status", "--short")
    for override, said in {
        "adapter.rank=-1": "adapter.rank: Input should be greater than or equal to 1",
        "adapter=r33": "did you mean adapter=r32?",
        "adapter.rnk=3": "did you mean adapter.rank?",
        "+adapter.rnk=3": "adapter.rnk: unknown key; did you mean rank?",
        "+experiment=smok": "did you mean experiment=smoke?",
    }.items():
        printed = repo("dvc", "exp", "run", "-S", override, fails=True)
        assert said in printed and "params.yaml was not changed" in printed
        assert "Traceback" not in printed and "unexpected" not in printed
        assert (repo.folder / "params.yaml").read_bytes() == before
    for words in (["-S", "adapter.rank"], ["--temp", "-S", "adapter.rank=0"]):
        repo("dvc", "exp", "run", *words, fails=True)
        assert (repo.folder / "params.yaml").read_bytes() == before
    assert repo("git", "status", "--short") == status
    assert repo.read("out") == "5\n"


def test_one_bad_combination_of_a_sweep_queues_none(repo: ToyRepo) -> None:
    before = (repo.folder / "params.yaml").read_bytes()
    sweep = ("-S", "adapter.rank=8,-1", "-S", "train.seed=1,2")
    printed = repo("dvc", "exp", "run", "--queue", *sweep, fails=True)
    assert "adapter.rank: Input should be greater" in printed
    assert (repo.folder / "params.yaml").read_bytes() == before
    assert "Queued" not in repo("dvc", "queue", "status")
    repo("dvc", "exp", "run", "--queue", "-S", "adapter.rank=8,9")
    assert repo("dvc", "queue", "status").count("Queued") == 2
