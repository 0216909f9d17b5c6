"""The section `generation`."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Count, Positive, Section, Seed, Share


class GenerationConfig(Section):
    """What stage `generate` runs: which test examples, where a completion ends, and how
    its tokens are chosen.

    A text without a prompt is prompted with its own first `prompt_tokens`. The stage
    stops if more than the share `max_cut_answers` of the reference answers contain a
    stop text, because a completion ends before it.

    Back end `vllm` runs in the environment of the interpreter `vllm_python`. The stage
    stops if less than the share `vllm_min_agreement` of its greedy answers to
    `vllm_check_prompts` prompts are those of graft's own engine.
    """

    device: Literal["auto", "cpu", "cuda"]
    backend: Literal["engine", "vllm"]
    vllm_python: str | None
    vllm_check_prompts: Positive
    vllm_min_agreement: Share
    stop: list[Annotated[str, Field(min_length=1)]]
    max_new_tokens: Positive
    max_cut_answers: Share
    prompt_tokens: Positive
    max_examples: Positive | None
    batch_size: Positive
    num_beams: Positive
    temperature: Annotated[float, Field(ge=0)]
    seed: Seed
    weights: Literal["auto", "packed", "dense"]
    latency_runs: Count
    warmup_runs: Count
