"""The part of a configuration that determines memory and speed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graft.config import (
    AdapterConfig,
    LoraConfig,
    QuantizationConfig,
    TrainConfig,
)
from graft.planning.shapes import GROUPS, Shape, fusion_obstacle, to_shape


@dataclass(frozen=True)
class Setup:
    """A base model, its trained weights, and the settings of training.

    `fused`: whether decoder layers are graft's fused ones.
    """

    shape: Shape
    adapter: AdapterConfig
    quantization: QuantizationConfig
    train: TrainConfig
    fused: bool

    @property
    def is_packed(self) -> bool:
        """Whether the base is stored in 4 bits."""
        return self.quantization.method != "none"

    @property
    def shards(self) -> int:
        """Number of processes across which the base is sharded."""
        return self.train.num_processes if self.train.shard_base else 1

    @property
    def separate_adapters(self) -> bool:
        """Whether adapters are computed separately; otherwise they are added to the
        weights when these are dequantized."""
        return not (self.fused and self.is_packed) or self.has_dropout

    @property
    def lora(self) -> LoraConfig | None:
        """The adapter; None in full fine-tuning."""
        return self.adapter if isinstance(self.adapter, LoraConfig) else None

    @property
    def rank(self) -> int:
        """Rank of the adapters; 0 in full fine-tuning."""
        return self.lora.rank if self.lora else 0

    @property
    def has_dropout(self) -> bool:
        """Whether there is dropout on the inputs of adapters."""
        return self.lora is not None and self.lora.dropout > 0

    @property
    def has_dora(self) -> bool:
        """Whether the adapters are DoRA."""
        return self.lora is not None and self.lora.dora

    @property
    def trained_layers(self) -> int:
        """Number of decoder layers that are not frozen."""
        return self.shape.layers - self.adapter.freeze_layers

    def groups(self) -> list[list[tuple[int, int]]]:
        """(inputs, outputs) of the adapted linear layers, in groups that read the same
        input."""
        if self.lora is None:
            return [[] for _ in GROUPS]
        wanted = self.lora.target_modules
        return [
            [
                self.shape.linears[name]
                for name in group
                if isinstance(wanted, str) or name in wanted
            ]
            for group in GROUPS
        ]


def to_setup(
    config: Mapping[str, Any],
    where: str,
    stored: str,
    sections: tuple[AdapterConfig, QuantizationConfig, TrainConfig],
    lacks: str = "",
) -> tuple[Setup, str]:
    """The setup, and the reason why layers cannot be fused; empty if they can.

    Args:
        config: the base's config.json, found at `where`.
        stored: dtype of the base's unquantized weights.
        sections: `adapter`, `quantization`, `train`.
        lacks: what fused layers need and this machine does not have.
    Raises: ModelError if the sizes of such a base are not known.
    """
    adapter, quantization, train = sections
    plain = (
        fusion_obstacle(config, adapter, stored, quantization.compute_dtype) or lacks
    )
    fused = train.kernels != "plain" and not plain
    shape = to_shape(config, where)
    return Setup(shape, adapter, quantization, train, fused), plain


@dataclass(frozen=True)
class BatchShape:
    """Size of a micro-batch.

    Attributes:
        tokens: number of tokens.
        trained: tokens that carry loss.
        span: length of the document that a token belongs to, averaged over tokens.
    """

    tokens: int
    trained: int
    span: float

    def part(self, share: float) -> "BatchShape":
        """A share of it, with documents of the same lengths."""
        return BatchShape(
            int(self.tokens * share), int(self.trained * share), self.span
        )
