"""Makes stages and commands run the code of the folder that they are started in.

An environment has one editable install of graft, that of the workspace. DVC runs queued
and temporary experiments in copies of other commits, and several worktrees may share an
environment. There `import graft` would find the code of the workspace, and results
would be attributed to a commit that did not compute them. So a process that imported
another graft restarts itself with its folder's `src` first on PYTHONPATH, which its
child processes inherit.
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
    """Return if neither `folder` nor a parent has code of graft, or if the nearest was
    imported; else restart this process (`execute` does not return).

    Raises: ConfigError if another code is imported even after a restart.
    """
    here = folder.absolute()
    sources = (one / "src" for one in (here, *here.parents))
    source = next((s for s in sources if (s / "graft/__init__.py").is_file()), None)
    if source is None or imported.resolve() == (own := source / "graft").resolve():
        return
    path = [str(source), environment.get("PYTHONPATH", "")]
    # Compared as text: a folder with a colon in its name cannot be on PYTHONPATH.
    if os.pathsep.join([path[1], ""]).startswith(os.pathsep.join([path[0], ""])):
        raise ConfigError(
            str(folder),
            f"the code of this folder should run, but {imported} was imported",
            expected=f"graft from {own}",
            fix=f"remove what takes precedence over PYTHONPATH={source} (python -I or "
            "-E, a module named graft in this folder)",
        )
    again = dict(environment) | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    sys.stdout.flush()
    execute(sys.executable, [sys.executable, *sys.orig_argv[1:]], again)
