"""Put the files that `graft init` copies into the package, as graft/project.

The paths are listed in pyproject.toml, under tool.graft.project. An editable install
has no copies: `graft init` reads them from the repository.
"""

import shutil
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithProject(build_py):
    """build_py, and the project's files beside the modules."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
        target = Path(self.build_lib, "graft", "project")
        shutil.rmtree(target, ignore_errors=True)
        for name in settings["tool"]["graft"]["project"]:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if Path(name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(name, target / name, ignore=ignored)
            else:
                shutil.copy(name, target / name)


setup(cmdclass={"build_py": BuildWithProject})
