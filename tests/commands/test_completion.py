"""Scripts of `graft completion`, bash's run in bash."""

import subprocess
from pathlib import Path
from typing import Literal

import pytest

from graft import cli
from graft.commands import completion


def complete(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words of a command line."""
    program = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        "_shtab_graft graft; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", program, "bash", str(script), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    completion.run("bash")
    script = tmp_path / "graft.bash"
    script.write_text(capsys.readouterr().out)
    assert set(cli.COMMANDS) <= set(complete(script, "graft", ""))
    assert complete(script, "graft", "comple") == ["completion"]
    assert complete(script, "graft", "params", "--ch") == ["--check"]
    assert complete(script, "graft", "export", "--device", "cu") == ["cuda"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_a_shell_names_every_command(
    shell: Literal["zsh", "fish"], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.run(shell)
    said = capsys.readouterr().out
    assert all(name in said for name in cli.COMMANDS)
    assert "readmit" in said
