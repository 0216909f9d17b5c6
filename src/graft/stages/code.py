"""Stage `code`: a digest of the code of each stage, on which the stage depends.

It runs when a file of the code has changed. A stage depends on its digest only, so that
edits of comments, or of code that it does not run, rerun nothing.
"""

from pathlib import Path

import graft
from graft import cli, io
from graft.stages.code_digest import Code


def run(out: Path, source: Path = Path(graft.__file__).parent) -> None:
    """Write one file per stage with the digests of the modules that it runs.

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
