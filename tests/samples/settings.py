"""Settings that several tests share."""

from pathlib import Path

from graft.config import (
    GenerationConfig,
    LeakageConfig,
    ModelConfig,
    PromptConfig,
    TaskConfig,
)

CHAT = PromptConfig(
    style="chat",
    pattern=None,
    system=None,
    paraphrases=[],
    num_paraphrases=0,
    date=None,
)
PROMPT = CHAT.model_copy(update={"style": "pattern", "pattern": "{source} ="})
TASK = TaskConfig(
    name="translation",
    languages={},
    expected_languages={},
)
GENERATION = GenerationConfig(
    backend="engine",
    vllm_python=None,
    vllm_check_prompts=4,
    vllm_min_agreement=1.0,
    device="cpu",
    stop=[],
    max_new_tokens=8,
    max_cut_answers=0,
    prompt_tokens=8,
    max_examples=None,
    batch_size=4,
    num_beams=1,
    temperature=0.0,
    seed=0,
    latency_runs=0,
    warmup_runs=0,
    weights="auto",
)
LEAKAGE = LeakageConfig(
    policy="drop",
    n=5,
    threshold=0.5,
    max_common=10,
    answers=False,
    benchmarks=[],
    max_leaked=0,
    num_shown=3,
)


def model_in(folder: Path) -> ModelConfig:
    """A model configuration for code that reads only the files of its folder."""
    return ModelConfig(
        path=str(folder),
        revision="0",
        tokenizer=None,
        num_parameters=1,
        dtype="float32",
        license=None,
    )
