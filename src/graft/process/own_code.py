"""Makes stages and commands run the code of the checkout that they are started in.

A Python environment has one editable install of graft, which imports the code of one
checkout. DVC runs queued and temporary experiments in other checkouts, and several git
worktrees may share an environment. In these, `import graft` would import the code of
the first checkout, and results would be attributed to a commit that did not compute
them. Therefore, a process that imported graft from another checkout restarts itself
with the `src` of its checkout first on PYTHONPATH, which its child processes inherit.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import graft
from graft.errors import ConfigError

Execute = Callable[[str, list[str], Mapping[str, str]], Any]


def use_own_code(
    folder: Path,
    imported: Path = Path(graft.__file__).parent,
    execute: Execute = os.execve,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Restart this process if it imported graft from another checkout than `folder`.

    Returns if the imported code is that of the checkout, or if neither `folder` nor a
    parent is a checkout of graft.

    Args:
        folder: the working directory.
        imported: folder of the imported package.
        execute: replaces the process, so it does not return.
        environment: environment variables of the process.
    Raises: ConfigError if other code is imported even after a restart.
    """
    folders = (folder.absolute(), *folder.absolute().parents)
    sources = (parent / "src" for parent in folders)
    source = next((s for s in sources if (s / "graft/__init__.py").is_file()), None)
    if source is None or imported.resolve() == (own := source / "graft").resolve():
        return
    path = [str(source), environment.get("PYTHONPATH", "")]
    # Compared as text: a folder with a colon in its name cannot be on PYTHONPATH.
    if os.pathsep.join([path[1], ""]).startswith(os.pathsep.join([path[0], ""])):
        raise ConfigError(
            str(folder),
            f"this folder contains code of graft, but {imported} was imported",
            expected=f"graft imported from {own}",
            fix=f"remove what overrides PYTHONPATH={source}: the options -I and -E of "
            "python, or a module named graft in this folder",
        )
    changed = dict(environment) | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    sys.stdout.flush()
    execute(sys.executable, [sys.executable, *sys.orig_argv[1:]], changed)
