"""Replace an image in manifests: set_image.py FILE NAME IMAGE.

NAME is the image as the manifests have it, without tag; the last part of its path is
compared, so that `graft-serve` is replaced by registry/folder/graft-serve@sha256:….
"""

import re
import sys
from pathlib import Path

_IMAGE = re.compile(
    r"^(?P<start>[ \t]*(?:- )?image:[ \t]*)(?P<image>\S+)[ \t]*$", re.MULTILINE
)


def replace(text: str, name: str, image: str) -> str:
    """The manifests with the image. Raises: ValueError if none has this name."""
    wanted = name.rpartition("/")[2]
    count = 0

    def change(match: re.Match[str]) -> str:
        nonlocal count
        found = match["image"].strip("\"'").partition("@")[0].rpartition("/")[2]
        if found.partition(":")[0] != wanted:
            return match[0]
        count += 1
        return f"{match['start']}{image}"

    changed = _IMAGE.sub(change, text)
    if not count:
        raise ValueError(f"no image {wanted} in the manifests")
    return changed


if __name__ == "__main__":
    file, *words = sys.argv[1:]
    Path(file).write_text(replace(Path(file).read_text("utf-8"), *words), "utf-8")
