"""Stage `code`: what the code of each stage does, as a digest that DVC compares.

It runs when a file of the code has changed. A stage depends on its digest alone, so an
edit of a comment, or of code that the stage does not run, makes nothing anew.
"""

from pathlib import Path

import graft
from graft import cli, io
from graft.stages.code_digest import Code


def run(out: Path, source: Path = Path(graft.__file__).parent) -> None:
    """Write a file for each stage, with the digests of the modules that it runs.

    Args:
        out: folder to write.
        source: folder of the package; by default that of the installed one.
    """
    code = Code(source.parent)
    with io.atomic(out) as partial:
        partial.mkdir()
        for name in code.stages():
            io.write_text(partial / name, code.digest(name))


if __name__ == "__main__":
    cli.stage(run)
