"""The engine on a GPU: each row's tokens are the most likely of its own adapter."""

import copy
import random
from collections import defaultdict
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import pytest
import torch
from saved_adapters import save_adapter
from transformers import LlamaConfig, LlamaForCausalLM

from graft.inference.batching import ContinuousBatch
from graft.inference.requests import GenerationRequest

pytestmark = pytest.mark.gpu
WORDS, LENGTH = 256, 96
ROUNDING = 0.5
"""Largest gap of logits that bfloat16 explains; they are about 10 wide."""


@pytest.fixture(scope="module")
def base() -> Any:
    pytest.importorskip("triton")
    torch.manual_seed(0)
    config = LlamaConfig(  # pylint: disable=unexpected-keyword-arg
        vocab_size=WORDS,
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(config).to("cuda", torch.bfloat16).eval()


def gap(model: Any, prompt: list[int], tokens: list[int]) -> float:
    """By how much a token's logit is below the largest one, at most."""
    with torch.inference_mode():
        ids = torch.tensor([prompt + tokens], device="cuda")
        logits = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].float()
    chosen = logits.gather(1, ids[0, len(prompt) :, None])[:, 0]
    return float((logits.amax(1) - chosen).max())


def load(base: Any, folder: Path) -> Any:
    import peft

    return peft.PeftModel.from_pretrained(copy.deepcopy(base), folder).eval()


def test_adapters_that_come_and_go_under_one_name_are_those_of_their_rows(
    base: Any, tmp_path: Path
) -> None:
    folders = [save_adapter(base, tmp_path / str(seed), seed) for seed in range(4)]
    models = {None: base} | {seed: load(base, f) for seed, f in enumerate(folders)}
    batch = ContinuousBatch(copy.deepcopy(base), 24, LENGTH)
    found: dict[Any, list[int]] = defaultdict(list)

    def run() -> None:
        for event in batch.events():
            found[event.key] += event.tokens

    thread = Thread(target=run)
    thread.start()
    draw = random.Random(0)
    prompts: dict[Any, list[int]] = {}
    for number in range(120):
        seed = number % 5 if number % 5 < 4 else None
        prompts[seed, number] = draw.choices(range(WORDS), k=draw.randint(1, 40))
        name = None if seed is None else f"version {seed % 2}"
        if name is not None:
            batch.add_adapter(name, folders[seed or 0])
        length = draw.randint(1, 50)
        batch.add(
            GenerationRequest((seed, number), prompts[seed, number], length, name)
        )
        if name is not None:
            batch.remove_adapter(name)
    batch.close()
    thread.join()
    gaps = {
        key: gap(models[key[0]], prompt, found[key]) for key, prompt in prompts.items()
    }
    assert max(gaps.values()) < ROUNDING
    base_gaps = [
        gap(base, prompt, found[key])
        for key, prompt in prompts.items()
        if key[0] is not None
    ]
    assert median(base_gaps) > 4 * ROUNDING
