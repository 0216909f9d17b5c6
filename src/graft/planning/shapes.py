"""Layer sizes of decoders of the Llama family, from config.json."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graft.config import AdapterConfig, LoraConfig
from graft.errors import ModelError

FAMILIES = ("llama", "mistral", "qwen2")
GROUPS = (
    ("q_proj", "k_proj", "v_proj"),
    ("o_proj",),
    ("gate_proj", "up_proj"),
    ("down_proj",),
)
"""Linear layers of a decoder layer; those of a group read the same input."""
_KEYS = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "vocab_size",
)


@dataclass(frozen=True)
class Shape:
    """Sizes of the layers. `linears`: (inputs, outputs) of each linear layer of a
    decoder layer, by name. `queries`, `keys`: total features over all heads."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    queries: int
    keys: int
    vocabulary: int
    tied: bool
    linears: Mapping[str, tuple[int, int]]

    @property
    def linear_parameters(self) -> int:
        """Weights of the linear layers of all decoder layers."""
        return self.layers * sum(rows * columns for rows, columns in self.sizes())

    @property
    def other_parameters(self) -> int:
        """Weights of embeddings, output layer and norms."""
        norms = (2 * self.layers + 1) * self.hidden
        return (1 if self.tied else 2) * self.table + norms

    @property
    def table(self) -> int:
        """Weights of the embeddings; the output layer has as many."""
        return self.vocabulary * self.hidden

    def sizes(self) -> Iterator[tuple[int, int]]:
        """(inputs, outputs) of the linear layers of one decoder layer."""
        yield from self.linears.values()


def to_shape(config: Mapping[str, Any], where: str) -> Shape:
    """The sizes in a config.json.

    Raises: ModelError, naming `where`, if a size is missing or the model is of another
    family.
    """
    lacks = [key for key in _KEYS if not isinstance(config.get(key), int)]
    if lacks or config.get("model_type") not in FAMILIES:
        raise ModelError(
            where,
            f"cannot estimate the sizes of a {config.get('model_type')}"
            + f" without {', '.join(lacks)}" * bool(lacks),
            expected=f"model_type {', '.join(FAMILIES)}, with {', '.join(_KEYS)}",
            fix="plan with a model of these families; training this one may still work",
        )
    layers, hidden, inner, heads, vocabulary = (config[key] for key in _KEYS)
    head_size = config.get("head_dim") or hidden // heads
    key_heads = config.get("num_key_value_heads") or heads
    queries, keys = heads * head_size, key_heads * head_size
    return Shape(
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        queries=queries,
        keys=keys,
        vocabulary=vocabulary,
        tied=bool(config.get("tie_word_embeddings", False)),
        linears={
            "q_proj": (hidden, queries),
            "k_proj": (hidden, keys),
            "v_proj": (hidden, keys),
            "o_proj": (queries, hidden),
            "gate_proj": (hidden, inner),
            "up_proj": (hidden, inner),
            "down_proj": (inner, hidden),
        },
    )


def fusion_obstacle(
    config: Mapping[str, Any], adapter: AdapterConfig, stored: str, products: str
) -> str:
    """Why fused layers do not support this base; empty if they do.

    Args:
        config: the base's config.json.
        adapter: the adapter configuration.
        stored, products: dtypes of unquantized weights and of matrix products.
    """
    kind, activation = config.get("model_type"), config.get("hidden_act")
    if not isinstance(adapter, LoraConfig):
        return "full fine-tuning trains all weights"
    wanted = adapter.target_modules
    known = {name for group in GROUPS for name in group}
    others = set() if isinstance(wanted, str) else set(wanted) - known
    problems = {
        f"{kind} is not one of {', '.join(FAMILIES)}": kind not in FAMILIES,
        f"the activation is {activation}, not silu": activation != "silu",
        "attention has dropout": bool(config.get("attention_dropout", 0)),
        "DoRA is not supported": adapter.dora,
        f"adapters on {', '.join(sorted(others))} are not supported": bool(others),
        f"the base is {stored} and products are {products}": stored != products,
    }
    return next((problem for problem, there in problems.items() if there), "")
