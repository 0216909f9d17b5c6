"""Stage `code`: what the code of each stage does, as a digest that DVC compares.

It runs when a file of the code has changed. A stage depends on its digest alone, so an
edit of a comment, or of code that the stage does not run, makes nothing anew.
"""

from pathlib import Path

from graft import cli, io
from graft.stages.code_digest import Code


def run(source: Path, out: Path) -> None:
    """Write a file for each stage, with the digests of the modules that it runs."""
    code = Code(source.parent)
    with io.atomic(out) as partial:
        partial.mkdir()
        for name in code.stages():
            io.write_text(partial / name, code.digest(name))


if __name__ == "__main__":
    cli.stage(run)
