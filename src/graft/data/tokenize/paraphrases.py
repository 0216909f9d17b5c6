"""Paraphrased prompts for the same answer, for training only."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from graft.config import PromptConfig
from graft.records import Message

HELD_OUT = ("validation", "test")


def paraphrase(
    examples: Sequence[Mapping[str, Any]], prompt: PromptConfig
) -> list[dict[str, Any]]:
    """Copies of examples with a paraphrased first prompt and ids of their own.

    A hash of the example's id chooses the paraphrases. Examples of an official held-out
    split get none; `split` leaves out those of examples that it holds out itself.

    `prompt`: paraphrases, as texts with {source}, and how many each example gets.
    """
    patterns, copies = prompt.paraphrases, []
    for example in examples:
        turns = [i for i, m in enumerate(example["messages"]) if m["role"] == "user"]
        if not turns or example["split"] in HELD_OUT:
            continue
        first = int(hashlib.sha256(example["id"].encode()).hexdigest()[:8], 16)
        for number in range(prompt.num_paraphrases):
            pattern = patterns[(first + number) % len(patterns)]
            messages = list(example["messages"])
            source = messages[turns[0]]["content"]
            messages[turns[0]] = Message(
                role="user", content=pattern.replace("{source}", source)
            )
            copy_id = f"{example['id']}~{number + 1}"
            copies.append({**example, "id": copy_id, "messages": messages})
    return copies
