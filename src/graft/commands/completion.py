"""`graft completion`: shell completion of commands and options."""

import argparse
import importlib
from pathlib import Path
from typing import Literal

from graft import cli


def run(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print a shell script that completes commands, options and file names.

    Save it in a folder that the shell searches:

    - bash: graft completion bash > ~/.local/share/bash-completion/completions/graft
    - zsh: graft completion zsh > FOLDER/_graft, where FOLDER is one of $fpath
    - fish: graft completion fish > ~/.config/fish/completions/graft.fish

    Args:
        shell: shell for which the script is written.
    """
    import shtab

    print(shtab.complete(to_parser(), shell))


def to_parser() -> argparse.ArgumentParser:
    """A parser of all commands, for shtab. Arguments of type Path are completed with
    file names."""
    import shtab

    parser = argparse.ArgumentParser(prog="graft")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bars")
    parser.add_argument("-v", "--verbose", action="store_true", help="debug messages")
    parser.add_argument("-V", "--version", action="store_true", help="the version")
    commands = parser.add_subparsers(dest="command")
    for name, text in cli.COMMANDS.items():
        command = commands.add_parser(name, help=text)
        module = importlib.import_module(f"graft.commands.{name}")
        cli.fill_parser(command, module.run, composes=True)
        for action in command._actions:  # pylint: disable=protected-access
            if action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return parser
