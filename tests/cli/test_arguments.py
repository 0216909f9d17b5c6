"""Arguments of commands and stages."""

import argparse
import importlib
from pathlib import Path
from typing import Literal

import pytest

from graft import cli
from graft.cli.arguments import add_arguments, describe
from graft.config import TrainConfig


def test_the_help_of_an_argument_comes_from_the_docstring() -> None:
    def run(train: TrainConfig, folder: Path, /, *, top: int = 3) -> None:
        """Show a folder.

        All of it.

        Args:
            folder: what is shown,
                with its files.
            top: files at most.
        Raises: nothing.
        """
        del train, folder, top

    text, told = describe(run)
    assert text == "Show a folder.\n\nAll of it."
    assert told == {"folder": "what is shown, with its files.", "top": "files at most."}
    parser = argparse.ArgumentParser()
    add_arguments(parser, run, Path("params.yaml"))
    shown = " ".join(parser.format_help().split())
    assert "--top TOP files at most. (default: 3)" in shown
    assert "train" not in shown


def test_a_literal_takes_its_values_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def run(*, device: Literal["cpu", "cuda"] = "cpu") -> str:
        return device

    assert cli.call(run, ["--device", "cuda"]) == "cuda"
    with pytest.raises(SystemExit):
        cli.call(run, ["--device", "tpu"])
    assert "invalid choice: 'tpu'" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_of_a_command_has_a_help(name: str) -> None:
    run = importlib.import_module(f"graft.commands.{name}").run
    parser = cli.make_parser(run, composes=True)
    actions = parser._actions  # pylint: disable=protected-access
    silent = [action.dest for action in actions if not (action.help or "").strip()]
    assert silent == []
