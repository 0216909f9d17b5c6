"""Settings, results and costs of generation, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, Self

from graft.config import GenerationConfig
from graft.planning.generation_memory import Weights


@dataclass(frozen=True)
class Decoding:
    """Settings of decoding.

    Args:
        max_new_tokens: longest completion, in tokens.
        stop: a completion ends before the first of these texts.
        batch_size: prompts generated at once, at most.
        num_beams: 1 is greedy or sampled; more is beam search.
        temperature: 0 is greedy; otherwise sampling divides logits by it.
        seed: of sampling. A row's draws depend on it and on the row's number alone.
        weights: `dense`: 4-bit weights are unpacked once; `packed`: for each use;
            `auto`: unpacked if memory allows it.
        backend: what completes the prompts of the test split.
    """

    max_new_tokens: int
    stop: Sequence[str] = ()
    batch_size: int = 32
    num_beams: int = 1
    temperature: float = 0.0
    seed: int = 0
    weights: Weights = "auto"
    backend: Literal["engine", "vllm"] = "engine"

    @classmethod
    def of(cls, generation: GenerationConfig) -> Self:
        """The configured settings."""
        return cls(**{f.name: getattr(generation, f.name) for f in fields(cls)})


@dataclass(frozen=True)
class Completions:
    """Texts in the order of their prompts, and their costs.

    `num_tokens` counts the completions with their stop token, not the prompts.
    `latency_ms` is the median time of a prompt from entering the batch to its end.
    """

    texts: list[str]
    num_tokens: int
    seconds: float
    latency_ms: float


@dataclass(frozen=True)
class GenerationCost:
    """The cost of all completions of a model.

    Args:
        num_tokens: of the completions with their stop tokens, not of the prompts.
        seconds: their duration.
        prompt_ms: median time of a prompt from entering the batch to its end.
    """

    num_tokens: int
    seconds: float
    prompt_ms: float

    @property
    def tokens_per_s(self) -> float:
        """Throughput over all prompts."""
        return self.num_tokens / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class Latency:
    """Times of single prompts, after a warm-up.

    Args:
        runs: number of prompts.
        p50_ms, p95_ms: until the completion is finished.
        first_token_ms: median until the first token.
        tokens_per_s: of the completions, over all runs.
    """

    runs: int
    p50_ms: float
    p95_ms: float
    first_token_ms: float
    tokens_per_s: float
