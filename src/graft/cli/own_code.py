"""Stages and commands run the code of the folder that they are started in.

An environment has one editable install of graft, that of the workspace. DVC works on
queued and temporary experiments in copies of other commits, and several worktrees may
share an environment: there `import graft` would find the workspace's code, and results
would carry the name of a commit that did not compute them. So a process whose graft is
not its folder's starts itself again with that folder's `src` first on PYTHONPATH, which
the processes that it starts inherit.
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
    """Return if neither `folder` nor one above it has code of graft, or the nearest is
    what was imported; else start this process again (`execute` does not return).

    Raises: ConfigError if the folder's code is not what is imported even then.
    """
    here = folder.absolute()
    sources = (one / "src" for one in (here, *here.parents))
    source = next((s for s in sources if (s / "graft/__init__.py").is_file()), None)
    if source is None or imported.resolve() == (own := source / "graft").resolve():
        return
    path = [str(source), environment.get("PYTHONPATH", "")]
    # As texts: a folder with a colon in its name cannot be on PYTHONPATH.
    if os.pathsep.join([path[1], ""]).startswith(os.pathsep.join([path[0], ""])):
        raise ConfigError(
            str(folder),
            f"this folder's code was to run, and {imported} was imported",
            expected=f"graft from {own}",
            fix=f"remove what goes before PYTHONPATH={source} (python -I or -E, a "
            "module named graft in this folder)",
        )
    again = dict(environment) | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    sys.stdout.flush()
    execute(sys.executable, [sys.executable, *sys.orig_argv[1:]], again)
