"""What LoRA adapters add to the outputs of linear layers.

Source: Hu et al. 2021, arXiv:2106.09685.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LowRank:
    """inner × up, where each token has the ranks of its own adapter.

    Args:
        inner: shape [tokens, ranks]; the ranks are contiguous.
        up: shape [ranks, out features]; the features are contiguous.
        off: True where a token does not use a rank; None: it uses all of them. Shape
            [tokens, ranks].
    """

    inner: Tensor
    up: Tensor
    off: Tensor | None = None

    def add_(self, out: Tensor) -> Tensor:
        """Add it to outputs, [tokens, out features], in place. Returns: `out`."""
        inner = self.inner
        if self.off is not None:
            inner = inner.masked_fill(self.off, 0)
        return out.addmm_(inner, self.up)
