"""Measure generation: tokens per second, single prompts, and agreement.

    python benchmarks/generation.py                  # CPU: slots against padded batches
    python benchmarks/generation.py --device cuda    # the shape of Mistral-7B

On a CPU: the tiny model in NF4 with an adapter completes prompts of the sample data in
slots and in padded batches, in turns; prints tokens per second of processor time of
both, and their ratio. On CUDA: random weights of a real shape, in NF4 or bfloat16, with
an adapter of rank 16; 512 prompts of 8 to 200 tokens, 64 new tokens each, no early end;
the same with log-normal lengths (median 35); one prompt alone; likelihoods.
Answers are checked against one forward pass of the untouched model: a token differs
where it is not the most likely there, and the gap is by how much, in logits.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from generation_checks import disagreement, with_adapter

from graft.inference.batching import run_requests
from graft.inference.families import inner_model
from graft.inference.likelihood import negative_log_likelihoods
from graft.inference.requests import GenerationRequest, OpenRow
from graft.inference.slots import (
    TOKENS_AT_ONCE,
    open_scheduler,
    release,
    runner_of,
    shape_of,
)

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure on the device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--shape", default="mistral-7b-v0.3")
    parser.add_argument("--weights", nargs="+", default=["none", "nf4"])
    parser.add_argument("--unpacking", default="auto")
    parser.add_argument("--slots", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--layers", type=int, help="fewer layers, for a trial")
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.device == "cpu":
        compare_on_cpu(args.prompts, args.rounds)
        return
    for weights in args.weights:
        measure_on_cuda(args, weights)


def compare_on_cpu(number: int, rounds: int) -> None:
    """Print tokens per second of slots and of padded batches."""
    from unittest.mock import patch

    from graft.config.params import load_params
    from graft.inference import generation
    from graft.prompts import load_template
    from graft.training.base import load_base

    params = load_params(ROOT / "params.yaml")
    template = load_template(params.model, params.prompt)
    lines = (ROOT / "data/sample/pairs.jsonl").read_text("utf-8").splitlines()
    texts = [next(iter(json.loads(line).values())) for line in lines[:number]]
    prompts = [
        template.encode_prompt([{"role": "user", "content": text}]) for text in texts
    ]
    model = load_base(params.model, params.quantization, "cpu")
    decoding = generation.Decoding.of(params.generation)
    for name in ("base", "tuned"):
        if name == "tuned":
            model = with_adapter(model)
        found: dict[str, list[float]] = {"slots": [], "padded": []}
        for _ in range(rounds):
            for way, speeds in found.items():
                with patch.object(
                    generation, "is_supported", lambda _, way=way: way == "slots"
                ):
                    start = time.process_time()
                    done = generation.complete(model, template, prompts, decoding)
                    seconds = time.process_time() - start
                speeds.append(done.num_tokens / seconds)
        slots, padded = (statistics.median(found[way]) for way in ("slots", "padded"))
        print(
            f"{name}: slots {slots:,.0f} tokens/s, padded {padded:,.0f}, "
            f"ratio {slots / padded:.2f}"
        )


def measure_on_cuda(args: argparse.Namespace, weights: str) -> None:
    """Print a table for one kind of weights."""
    from random_base import SHAPES, make_random_base
    from training_speed import make_quantization

    shape = SHAPES[args.shape] | (
        {"num_hidden_layers": args.layers} if args.layers else {}
    )
    base = make_random_base(shape, make_quantization(method=weights), "cuda")
    base.config._attn_implementation = "sdpa"  # pylint: disable=protected-access
    draw = np.random.default_rng(0)
    prompts = [
        draw.integers(16, shape["vocab_size"], n).tolist()
        for n in draw.integers(8, 201, args.prompts)
    ]
    varied = draw.lognormal(np.log(35), 0.6, args.prompts).clip(1, 256).astype(int)
    model = with_adapter(base)
    for slots in args.slots:
        for label, adapters, lengths in (
            ("base", [None], [64]),
            ("tuned", ["default"], [64]),
            ("base and tuned", [None, "default"], [64]),
            ("tuned, log-normal lengths", ["default"], varied.tolist()),
        ):
            requests = to_requests(prompts, adapters, lengths)
            release(model)
            torch.cuda.reset_peak_memory_stats()
            loaded = torch.cuda.memory_allocated()
            runs = [
                timed(model, requests, slots, args.unpacking)
                for _ in range(args.rounds)
            ]
            seconds = statistics.median(run[0] for run in runs[1:])
            number = sum(request.max_new_tokens for request in requests)
            print(
                f"| {weights} {label}, {slots} | {number / seconds:,.0f} tokens/s "
                f"| first {runs[0][0]:.1f} s | {memory(model, loaded)} |",
                flush=True,
            )
        few = to_requests(prompts[:64], ["default"], [64])
        answers = timed(model, few, slots)[1]
        differing, gap, total = disagreement(model, prompts[:64], answers)
        print(f"| {weights} tuned | {differing} of {total} differ | gap {gap:.4f} |")
    for adapter in (None, "default"):
        measure_alone(model, adapter, weights)
    measure_likelihood(model, shape["vocab_size"], weights)
    release(model)


def memory(model: Any, loaded: int) -> str:
    """Peak memory, and what was planned.

    Args:
        loaded: bytes that the model took before it generated.
    """
    runner, shape = runner_of(model, 1, 1), shape_of(inner_model(model))
    slot = runner.length * shape.slot_token + shape.logits
    planned = loaded + runner.is_dense * shape.dense
    planned += runner.num_slots * slot + shape.working(TOKENS_AT_ONCE)
    peak = torch.cuda.max_memory_allocated()
    return f"{peak / 2**30:.1f} GiB, planned {planned / 2**30:.1f}"


def measure_alone(model: Any, adapter: str | None, weights: str) -> None:
    """Print the speed and the first token of single prompts of 128 tokens."""
    draw = np.random.default_rng(1)
    release(model)
    first, speeds = [], []
    with open_scheduler(model, 1, 192) as scheduler:
        for number in range(10):
            prompt = draw.integers(16, 30000, 128).tolist()
            scheduler.add(OpenRow(GenerationRequest(number, prompt, 64, adapter)))
            start = time.perf_counter()
            scheduler.step()
            first.append(time.perf_counter() - start)
            while scheduler.open_rows:
                scheduler.step()
            speeds.append(64 / (time.perf_counter() - start))
    print(
        f"| {weights} {adapter or 'base'}, one prompt | "
        f"{statistics.median(speeds[2:]):.0f} tokens/s | first token "
        f"{1000 * statistics.median(first[2:]):.1f} ms |",
        flush=True,
    )


def measure_likelihood(model: Any, vocabulary: int, weights: str) -> None:
    """Print the speed of likelihoods of 3,000 pairs."""
    draw = np.random.default_rng(2)
    texts = [
        (draw.integers(16, vocabulary, n).tolist(), [i >= n // 2 for i in range(n)])
        for n in draw.integers(16, 160, 3000)
    ]
    negative_log_likelihoods(model, texts[:300], "default")
    start = time.perf_counter()
    negative_log_likelihoods(model, texts, "default")
    seconds = time.perf_counter() - start
    tokens = sum(len(ids) for ids, _ in texts)
    print(f"| {weights} likelihood of 3,000 pairs | {tokens / seconds:,.0f} tokens/s |")


def to_requests(
    prompts: list[list[int]], adapters: list[str | None], lengths: list[int]
) -> list[GenerationRequest]:
    """A request for each prompt and adapter; lengths repeat."""
    return [
        GenerationRequest((row, adapter), prompt, lengths[row % len(lengths)], adapter)
        for row, prompt in enumerate(prompts)
        for adapter in adapters
    ]


def timed(
    model: Any,
    requests: list[GenerationRequest],
    slots: int,
    weights: Literal["auto", "packed", "dense"] = "auto",
) -> tuple[float, dict[Any, list[int]]]:
    """Seconds, and the tokens of each prompt; of the last adapter, if several."""
    found: dict[Any, list[int]] = {request.key[0]: [] for request in requests}
    last = requests[-1].adapter
    start = time.perf_counter()
    for event in run_requests(model, requests, slots, weights):
        if event.key[1] == last:
            found[event.key[0]] += event.tokens
    return time.perf_counter() - start, found


if __name__ == "__main__":
    main()
