"""An adapter that changes answers, and whether answers are the most likely ones."""

from typing import Any

import torch


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
