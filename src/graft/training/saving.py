"""Folders of weights that appear whole, whatever libraries raise that write them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graft import io


@contextmanager
def atomic_weights(path: Path) -> Iterator[Path]:
    """`io.atomic` for what safetensors and torch write: of a full disk they tell in
    words of their own.

    torch must write to an open file; of a path it does not say what went wrong.
    Raises: StorageError if it cannot be written.
    """
    from safetensors import SafetensorError

    with io.atomic(path) as partial:
        try:
            yield partial
        except SafetensorError as error:
            if not (code := re.search(r"\(os error (\d+)\)", str(error))):
                raise
            raise OSError(int(code[1]), str(error)) from error
        except RuntimeError as error:
            if not isinstance(error.__context__, OSError):
                raise
            raise error.__context__ from error
