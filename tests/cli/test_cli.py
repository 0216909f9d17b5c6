import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from graft import cli
from graft.config import LoraConfig, TrainConfig
from graft.errors import ConfigError, DataError


def test_flags_and_positions_follow_from_the_signature() -> None:
    seen: list[object] = []

    def command(
        folder: Path, /, *, mark: bool = False, names: list[str], top: int | None = None
    ) -> None:
        seen.append((folder, mark, names, top))

    cli.call(command, ["a", "--names", "x", "y"])
    cli.call(command, ["b", "--mark", "--names", "x", "--top", "3"])
    assert seen == [(Path("a"), False, ["x", "y"], None), (Path("b"), True, ["x"], 3)]


def test_no_folder_many_folders_and_flags_are_understood() -> None:
    seen: list[object] = []

    def command(folders: list[Path] | None = None, /, *, mark: bool = False) -> None:
        seen.append((folders, mark))

    for argv in ([], ["--mark"], ["a", "b", "--mark"]):
        cli.call(command, argv)
    assert seen == [([], False), ([], True), ([Path("a"), Path("b")], True)]


def test_a_command_takes_changes_of_params_as_dvc_exp_run_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])

    def command(train: TrainConfig, adapter: LoraConfig) -> tuple[float, int]:
        return train.learning_rate, adapter.rank

    argv = ["-S", "adapter=r8", "-S", "train.learning_rate=0.5"]
    assert cli.call(command, argv, composes=True) == (0.5, 8)
    assert cli.call(command, [], composes=True)[1] == 32
    with pytest.raises(ConfigError, match="train.learning_rate"):
        cli.call(command, ["-S", "train.learning_rate=-1"], composes=True)
    with pytest.raises(SystemExit):  # stages read params.yaml alone
        cli.call(command, argv)


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (
            DataError("a.jsonl:3", "broken", expected="JSON", fix="mend it"),
            1,
            "mend it",
        ),
        (OSError(28, "No space left on device", "out"), 1, "error: out"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_cause_ends_with_a_message_and_no_traceback(
    error: BaseException, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        cli.stage(command, [])
    assert ended.value.code == status
    assert told in capsys.readouterr().err


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli.stage(command, [])


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_module_with_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"graft.commands.{name}")
    with pytest.raises(SystemExit) as ended:
        cli.call(module.run, ["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_graft_lists_its_commands_and_loads_none() -> None:
    code = (
        "import sys; from graft.cli import main; sys.argv = ['', '--help']; main();"
        "print([m for m in sys.modules if m in ('torch', 'mlflow', 'graft.commands')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert all(name in done.stdout for name in cli.COMMANDS)
    assert done.stdout.endswith("[]\n")


def test_an_unknown_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    before, sys.argv = sys.argv, ["graft", "complain"]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    assert ended.value.code == 2
    assert "no command 'complain'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--version"], 0, "graft 0."),
        (["exprot"], 2, "did you mean export?"),
        (["x"], 2, "no command 'x'"),
        ([], 0, "usage: graft"),
        (["-q"], 0, "usage: graft"),
    ],
)
def test_the_command_line_answers_what_is_no_command(
    words: list[str], status: int, told: str
) -> None:
    code = "import sys; from graft.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert told in done.stdout + done.stderr


def test_a_document_of_json_is_alone_on_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def command(*, json: bool = False) -> dict[str, object] | None:
        print("note")
        return {"value": 1.5, "text": "é\x1b"} if json else None

    cli.call(command, ["--json"])
    said = capsys.readouterr()
    assert json.loads(said.out) == {"value": 1.5, "text": "é\x1b"}
    assert said.err == "note\n" and "\x1b" not in said.out
    cli.call(command, [])
    assert capsys.readouterr().out == "note\n"
