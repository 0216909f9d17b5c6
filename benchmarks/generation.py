"""Measure generation: tokens per second, single prompts, and agreement.

    python benchmarks/generation.py                  # CPU: slots against padded batches
    python benchmarks/generation.py --device cuda    # the shape of Mistral-7B

On a CPU: the tiny model in NF4 with an adapter completes prompts of the sample data in
slots and in padded batches, in turns; prints tokens per second of processor time of
both, and their ratio. On CUDA: random weights of a real shape, in NF4 or bfloat16, with
an adapter of rank 16; 512 prompts of 8 to 200 tokens, 64 new tokens each, no early end.
Answers are checked against one forward pass of the untouched model: a token differs
where it is not the most likely there, and the gap is by how much, in logits.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graft.inference.batching import release, run_requests
from graft.inference.requests import GenerationRequest

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure on the device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--shape", default="mistral-7b-v0.3")
    parser.add_argument("--weights", nargs="+", default=["none", "nf4"])
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
    for name in ("base", "tuned"):
        model = base if name == "base" else with_adapter(base)
        for slots in args.slots:
            label = f"| {weights} {name}, {slots} slots"
            release(model)
            torch.cuda.reset_peak_memory_stats()
            rows = [timed(model, prompts, slots, 64) for _ in range(args.rounds)]
            seconds = statistics.median(row[0] for row in rows[1:])
            peak = torch.cuda.max_memory_allocated() / 2**30
            speed = 64 * len(prompts) / seconds
            print(
                f"{label} | {speed:,.0f} tokens/s | first {rows[0][0]:.1f} s | "
                f"{peak:.1f} GiB |",
                flush=True,
            )
        differing, gap, total = disagreement(model, prompts[:64], rows[-1][1])
        print(f"{label} | {differing} of {total} differ | gap {gap:.4f} |", flush=True)
        release(model)
        alone = [draw.integers(16, 30000, 128).tolist()]
        for new in (64, 1):
            times = [timed(model, alone, 1, new)[0] for _ in range(8)]
            median = statistics.median(times[2:])
            print(
                f"| {weights} {name}, one prompt, {new} new | {median * 1e3:.1f} ms |"
            )
    release(base)


def timed(
    model: Any, prompts: list[list[int]], slots: int, new: int
) -> tuple[float, dict[Any, list[int]]]:
    """Seconds, and the tokens of each prompt."""
    requests = [GenerationRequest(row, x, new) for row, x in enumerate(prompts)]
    found: dict[Any, list[int]] = {row: [] for row in range(len(prompts))}
    start = time.perf_counter()
    for event in run_requests(model, requests, slots):
        found[event.key] += event.tokens
    return time.perf_counter() - start, found


def disagreement(
    model: Any, prompts: list[list[int]], found: dict[Any, list[int]]
) -> tuple[int, float, int]:
    """Tokens that are not the most likely in one pass over prompt and answer, the
    largest gap to the most likely, and the number of tokens."""
    differing, largest, total = 0, 0.0, 0
    for row, prompt in enumerate(prompts):
        ids = torch.tensor([[*prompt, *found[row]]], device=model.device)
        with torch.inference_mode():
            logits = model(input_ids=ids, use_cache=False).logits[0].float()
        logits = logits[len(prompt) - 1 : -1]
        chosen = logits.gather(1, ids[0, len(prompt) :, None])[:, 0]
        gaps = logits.amax(dim=-1) - chosen
        differing += int((gaps > 0).sum())
        largest = max(largest, float(gaps.max()))
        total += len(gaps)
    return differing, largest, total


def with_adapter(base: Any) -> Any:
    """The base with a random adapter of rank 16 that changes its answers."""
    import peft

    config = peft.LoraConfig(
        r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = peft.get_peft_model(base, config).requires_grad_(False).eval()
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.02)
    return model


if __name__ == "__main__":
    main()
