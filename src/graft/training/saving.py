"""Atomic folders of weights, with uniform errors for a full disk."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graft import io


@contextmanager
def atomic_weights(path: Path) -> Iterator[Path]:
    """`io.atomic` for safetensors and torch, whose errors for a full disk are no
    OSError.

    torch must write to an open file: given a path, its error lacks the cause.
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
