"""Time stage generate on a test set of newstest2014's size, loading included.

    python benchmarks/newstest.py --base /tmp/base                    # one CUDA GPU
    python benchmarks/newstest.py --base /tmp/tiny --device cpu --shape mistral-tiny \
        --rows 12 --slots 4

3,003 prompts, and answers of as many tokens as references have: drawn log-normally
(prompts 24 tokens of template and median 30 of text, answers median 35, σ 0.6), since
a random model ends nowhere. Base and tuned model complete each prompt greedily in the
same batches, in chunks as the stage makes them, and score its reference. The base is
written to `--base` first if nothing is there (not timed), and loaded from it in NF4
with an adapter of rank 16. Prints the seconds of each part, then tokens per second of
likelihoods and of the training engine's forward pass without gradients, on the same
rows, packed. Left out: imports, the digest of the base's files, writing predictions.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from random_base import SHAPES, make_random_base, write_random_base
from training_speed import make_adapter, make_quantization, make_train

from graft.inference.batching import run_requests
from graft.inference.chunks import BATCHES_PER_CHUNK
from graft.inference.likelihood import negative_log_likelihoods
from graft.inference.requests import GenerationRequest
from graft.inference.slots import release
from graft.training.adapter import load_adapter
from graft.training.base import load_model, quantization_of
from graft.training.batches import PackedDocuments
from graft.training.forward import prepare

ADAPTERS = (None, "default")
Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its reference."""


class Words:
    """A template whose tokens are words."""

    byte_ids: frozenset[int] = frozenset()

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """A word a token."""
        return " ".join(map(str, ids)) + ("" if start else " ")


def main() -> None:
    """Time all parts once, and the forward passes several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    parser.add_argument("--shape", default="mistral-7b-v0.3", choices=SHAPES)
    parser.add_argument("--layers", type=int, help="fewer layers, for a trial")
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    parser.add_argument("--rows", type=int, default=3003)
    parser.add_argument("--slots", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3, help="of forward passes")
    args = parser.parse_args()
    shape = SHAPES[args.shape] | (
        {"num_hidden_layers": args.layers} if args.layers else {}
    )
    if not args.base.exists():
        write_random_base(args.shape, args.base, 42, args.layers)
    pairs = draw_pairs(args.rows, shape["vocab_size"])
    with tempfile.TemporaryDirectory() as name:
        adapter = save_random_adapter(args.base, Path(name))
        model, loading = timed(lambda: load(args.base, adapter, args.device))
    completing, scoring, tokens = run_stage(model, pairs, args.slots)
    print(
        f"| {args.rows} prompts, base and tuned | loading {loading:.1f} s | "
        f"completions {completing:.1f} s ({tokens / completing:,.0f} tokens/s) | "
        f"likelihoods {scoring:.1f} s | whole {loading + completing + scoring:.1f} s |",
        flush=True,
    )
    texts = [to_text(pair) for pair in pairs]
    total = sum(len(ids) for ids, _ in texts)
    ours = total / median_seconds(
        lambda: negative_log_likelihoods(model, texts, "default"), args.rounds
    )
    release(model)
    del model
    gc.collect()
    if args.device == "cuda":
        torch.cuda.empty_cache()
    forward = training_forward(shape, texts, args.device)
    theirs = total / median_seconds(forward, args.rounds)
    print(
        f"| likelihood {ours:,.0f} tokens/s | training's forward {theirs:,.0f} | "
        f"ratio {ours / theirs:.2f} |"
    )


def draw_pairs(rows: int, vocabulary: int) -> list[Pair]:
    """Random tokens, in lengths of sentences."""
    draw = np.random.default_rng(0)

    def ids(lengths: Any, most: int) -> list[list[int]]:
        sizes = lengths.clip(3, most).astype(int)
        return [draw.integers(16, vocabulary, size).tolist() for size in sizes]

    sources = ids(draw.lognormal(np.log(30), 0.6, rows), 160)
    references = ids(draw.lognormal(np.log(35), 0.6, rows), 256)
    template = draw.integers(16, vocabulary, 24).tolist()
    return [
        (template + source, reference)
        for source, reference in zip(sources, references, strict=True)
    ]


def save_random_adapter(base: Path, out: Path) -> Path:
    """Write an adapter of rank 16 that changes the answers; returns its folder."""
    import peft
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    config = peft.LoraConfig(
        r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with init_empty_weights():
        empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
        model = peft.get_peft_model(empty, config)
    torch.manual_seed(1)
    state = {
        name: 0.02 * torch.randn(weight.shape)
        for name, weight in model.state_dict().items()
        if ".lora_" in name
    }
    model.save_pretrained(out, state_dict=state)
    return out


def load(base: Path, adapter: Path, device: str) -> Any:
    """The tuned model, as the stage loads it."""
    stored = quantization_of(make_quantization(), device)
    model = load_model(str(base), None, stored, device, "bfloat16")
    return load_adapter(model.requires_grad_(False), adapter)


def run_stage(
    model: Any, pairs: Sequence[Pair], slots: int
) -> tuple[float, float, int]:
    """Seconds of completions and of likelihoods, and tokens of the completions."""
    order = sorted(range(len(pairs)), key=lambda row: -len(pairs[row][0]))
    size = max(1, BATCHES_PER_CHUNK * slots // len(ADAPTERS))
    completing = scoring = 0.0
    tokens = 0
    for first in range(0, len(order), size):
        chunk = [pairs[row] for row in order[first : first + size]]
        requests = [
            GenerationRequest(
                (row, adapter), prompt, len(reference), adapter, template=Words()
            )
            for row, (prompt, reference) in enumerate(chunk)
            for adapter in ADAPTERS
        ]
        running = run_requests(model, requests, slots)
        events, seconds = timed(partial(list, running))
        completing += seconds
        tokens += sum(len(event.tokens) for event in events)
        texts = [to_text(pair) for pair in chunk]
        for adapter in ADAPTERS:
            score = partial(negative_log_likelihoods, model, texts, adapter)
            scoring += timed(score)[1]
    return completing, scoring, tokens


def to_text(pair: Pair) -> tuple[list[int], list[bool]]:
    """Ids of prompt and reference, and the loss mask."""
    prompt, reference = pair
    return prompt + reference, [False] * len(prompt) + [True] * len(reference)


def training_forward(
    shape: dict[str, Any],
    texts: Sequence[tuple[list[int], list[bool]]],
    device: str,
    length: int = 2048,
    at_once: int = 4,
) -> Callable[[], None]:
    """A pass over all texts as training computes its validation loss.

    Args:
        length: tokens of a packed sequence.
        at_once: sequences a pass; four of 2,048 are as many tokens as likelihoods take.
    """
    base = make_random_base(shape, make_quantization(), device)
    train = make_train(at_once, 1, "auto", False).model_copy(update={"device": device})
    prepared = prepare(base, make_adapter(), train, torch.bfloat16)
    prepared.model.eval()
    starts = np.cumsum([0, *(len(ids) for ids, _ in texts)])
    documents = PackedDocuments(
        np.concatenate([np.array(ids) for ids, _ in texts]),
        np.concatenate([np.array(mask) for _, mask in texts]),
        starts,
        [str(number) for number in range(len(texts))],
        length,
        packing=True,
    )

    def forward() -> None:
        total = torch.zeros((), device=device)
        with torch.no_grad():
            for packs in documents.in_batches(at_once):
                total += prepared.forward(documents.batch(packs, device))
        total.item()

    return forward


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a function, and its seconds with what it left on the device."""
    start = time.perf_counter()
    found = function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return found, time.perf_counter() - start


def median_seconds(function: Callable[[], Any], rounds: int) -> float:
    """Median seconds after a first call, which compiles kernels."""
    function()
    return statistics.median(timed(function)[1] for _ in range(rounds))


if __name__ == "__main__":
    main()
