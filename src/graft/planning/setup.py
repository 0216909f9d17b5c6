"""What of a configuration decides memory and speed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graft.config import (
    AdapterConfig,
    LoraConfig,
    QuantizationConfig,
    TrainConfig,
)
from graft.planning.shapes import GROUPS, Shape, obstacle, to_shape


@dataclass(frozen=True)
class Setup:
    """A base, what is trained on it, and how.

    `fused`: whether decoder layers are graft's own.
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
        """Processes among which the base is dealt out."""
        return self.train.num_processes if self.train.shard_base else 1

    @property
    def is_apart(self) -> bool:
        """Whether adapters have products of their own; else they are added to the
        weights as these are unpacked."""
        return not (self.fused and self.is_packed) or self.has_dropout

    @property
    def lora(self) -> LoraConfig | None:
        """The adapter, if it is one: else all weights are trained."""
        return self.adapter if isinstance(self.adapter, LoraConfig) else None

    @property
    def rank(self) -> int:
        """Of the adapters."""
        return self.lora.rank if self.lora else 0

    @property
    def has_dropout(self) -> bool:
        """Whether adapters read with dropout."""
        return self.lora is not None and self.lora.dropout > 0

    @property
    def has_dora(self) -> bool:
        """Whether adapters are DoRA's."""
        return self.lora is not None and self.lora.dora

    @property
    def trained_layers(self) -> int:
        """Decoder layers of which something is trained."""
        return self.shape.layers - self.adapter.freeze_layers

    def groups(self) -> list[list[tuple[int, int]]]:
        """(inputs, outputs) of adapted linear layers, group by group of one input."""
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
    """What is planned, and why its layers are plain, if they have to be.

    Args:
        config: the base's config.json, found at `where`.
        stored: type of the base's unquantized weights.
        sections: `adapter`, `quantization`, `train`.
        lacks: what the machine has not that fused layers need.
    Raises: ModelError if no size is known of such a base.
    """
    adapter, quantization, train = sections
    plain = obstacle(config, adapter, stored, quantization.compute_dtype) or lacks
    fused = train.kernels != "plain" and not plain
    shape = to_shape(config, where)
    return Setup(shape, adapter, quantization, train, fused), plain


@dataclass(frozen=True)
class Load:
    """A micro-batch.

    Attributes:
        tokens: of it.
        learned: tokens that carry loss.
        span: tokens of the document that a token is in, on the average over tokens.
    """

    tokens: int
    learned: int
    span: float

    def part(self, share: float) -> "Load":
        """A smaller one of the same kind."""
        return Load(int(self.tokens * share), int(self.learned * share), self.span)
