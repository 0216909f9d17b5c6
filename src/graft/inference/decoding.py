"""Decode a batch of prompts: greedy, by sampling, or with beam search.

Greedy decoding and sampling use graft's own loop for two reasons: `generate` takes
defaults from the model's generation_config.json (Qwen's has a repetition penalty),
which would change the results; and it computes finished rows until the last one is
finished, which takes long with an untuned model.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

CHECK_EVERY = 4
"""Tokens between two checks for finished rows. A check decodes text and waits for the
device, so checking every token would cost more than it saves."""

Ended = Callable[[list[int]], bool]


def pad_left(
    prompts: Sequence[Sequence[int]], pad_id: int, device: Any
) -> tuple[Tensor, Tensor]:
    """Token ids and their attention mask, both [rows, tokens], padded on the left."""
    longest = max(map(len, prompts))
    gaps = [longest - len(prompt) for prompt in prompts]
    ids = [[pad_id] * gap + list(prompt) for gap, prompt in zip(gaps, prompts)]
    mask = [[0] * gap + [1] * (longest - gap) for gap in gaps]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def write_tokens(
    model: Any,
    ids: Tensor,
    mask: Tensor,
    *,
    max_new_tokens: int,
    ended: Ended,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[int]]:
    """Continue each row greedily, or by sampling, until it has ended.

    Args:
        ids: prompts, padded on the left. Shape [rows, tokens].
        mask: 1 where `ids` is not padding. Same shape.
        max_new_tokens: most tokens generated per row.
        ended: whether the generated tokens of a row are complete.
        temperature: 0 takes the most likely token.
        seed: of sampling.
    Returns: the generated tokens of each row, up to `CHECK_EVERY` − 1 beyond its end.
    """
    from transformers import DynamicCache

    generator = torch.Generator(ids.device).manual_seed(seed)
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    rows = list(range(len(ids)))  # the prompts still being continued
    written: list[list[int]] = [[] for _ in rows]
    unread = []
    for step in range(1, max_new_tokens + 1):
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[
            :, -1
        ]  # [rows, vocab]
        ids = _choose(logits, temperature, generator)  # [rows, 1]
        unread.append(ids)
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        positions = positions[:, -1:] + 1
        if step % CHECK_EVERY and step < max_new_tokens:
            continue
        for row, tokens in zip(rows, torch.cat(unread, dim=1).tolist(), strict=True):
            written[row] += tokens
        unread.clear()
        open_rows = [i for i, row in enumerate(rows) if not ended(written[row])]
        if not open_rows:
            break
        if len(open_rows) < len(rows):
            kept = torch.tensor(open_rows, device=ids.device)
            cache.batch_select_indices(kept)
            ids, mask, positions = ids[kept], mask[kept], positions[kept]
            rows = [rows[i] for i in open_rows]
    return written


def _choose(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One token per row, shape [rows, 1]."""
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    probabilities = (logits.float() / temperature).softmax(dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator)


def search_beams(
    model: Any,
    ids: Tensor,
    mask: Tensor,
    *,
    max_new_tokens: int,
    ended: Ended,
    num_beams: int,
    pad_id: int,
    stop_ids: list[int],
) -> list[list[int]]:
    """Continue each row by beam search (transformers'); arguments as `write_tokens`.

    Returns: the tokens of each row's best beam, with padding after its stop token.
    """
    from transformers import GenerationConfig

    start = ids.shape[1]

    def criterion(beams: Tensor, _scores: Any, **_: Any) -> Tensor:
        done = [ended(beam) for beam in beams[:, start:].tolist()]
        return torch.tensor(done, device=beams.device)

    settings = GenerationConfig(
        num_beams=num_beams,
        do_sample=False,
        max_new_tokens=max_new_tokens,
        pad_token_id=pad_id,
        eos_token_id=stop_ids,
        # Set explicitly, so that generation_config.json of the model does not apply.
        length_penalty=1.0,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        early_stopping=False,
        num_return_sequences=1,
    )
    output = model.generate(
        input_ids=ids,
        attention_mask=mask,
        generation_config=settings,
        stopping_criteria=[criterion],
    )
    return [list(row) for row in output[:, start:].tolist()]
