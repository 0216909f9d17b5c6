"""Upweighting rare strata: repeated examples, or larger weights in the loss."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def repeat_counts(strata: npt.NDArray[np.str_], strength: float) -> Ints:
    """How often each example is seen in an epoch, at least once. Shape [examples].

    (n_largest / n_stratum) ** strength, rounded: 0 repeats nothing, 1 makes all strata
    about as large as the largest.
    """
    _, number, counts = np.unique(strata, return_inverse=True, return_counts=True)
    wanted = (counts.max(initial=1) / counts) ** strength
    return np.asarray(np.rint(wanted).astype(np.int64)[number])


def loss_weights(
    strata: npt.NDArray[np.str_], num_trained: Ints, strength: float
) -> Floats:
    """Each example's weight in the loss. Shape [examples].

    A stratum with the share s of all trained tokens has the weight s ** -strength: 0
    gives equal weights, 1 gives each stratum an equal share of the loss. The mean over
    trained tokens is 1, so the scale of the loss does not change.

    Args:
        strata: of each example. Shape [examples].
        num_trained: tokens of each that carry loss in an epoch. Shape [examples].
        strength: 0 to 1.
    """
    _, number = np.unique(strata, return_inverse=True)
    tokens = np.bincount(number, weights=num_trained)
    positive = np.maximum(tokens, 1)
    weights = (positive / positive.sum()) ** -strength
    return np.asarray((weights * tokens.sum() / (weights * tokens).sum())[number])
