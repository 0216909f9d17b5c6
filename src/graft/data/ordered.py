"""Distinct and repeated values of arrays of numbers."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The distinct values, ascending. Shape [distinct].

    Not `np.unique`, which in NumPy 2.3 puts integers into a hash table, and takes 100
    times as long for 400,000 distinct ones.
    """
    ordered = np.sort(values)
    return ordered[are_new(ordered)]


def repeated(values: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Indices of the values that occur more than once, in ascending order."""
    order = np.argsort(values)
    new = np.append(are_new(values[order]), True)
    return np.sort(order[~new[:-1] | ~new[1:]])


def are_new(values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Whether each value differs from the one before it. Shape [values]."""
    new = np.ones(len(values), np.bool_)
    new[1:] = values[1:] != values[:-1]
    return new
