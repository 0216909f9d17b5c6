"""Other ways to ask for the same answer, for training alone."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from graft.config import PromptConfig
from graft.records import Message

HELD_OUT = ("validation", "test")


def paraphrase(
    examples: Sequence[Mapping[str, Any]], prompt: PromptConfig
) -> list[dict[str, Any]]:
    """Copies of examples, each asked in another way, with ids of their own.

    Which of the ways an example gets follows from its id. An example of an official
    held-out split gets none; those that are held out later are left out by `split`.

    Args:
        examples: lines of EXAMPLE_SCHEMA.
        prompt: the ways, texts with {source}, and how many each example gets.
    """
    ways, copies = prompt.paraphrases, []
    for example in examples:
        turns = [i for i, m in enumerate(example["messages"]) if m["role"] == "user"]
        if not turns or example["split"] in HELD_OUT:
            continue
        first = int(hashlib.sha256(example["id"].encode()).hexdigest()[:8], 16)
        for number in range(prompt.num_paraphrases):
            way = ways[(first + number) % len(ways)]
            messages = list(example["messages"])
            asked = messages[turns[0]]["content"]
            messages[turns[0]] = Message(
                role="user", content=way.replace("{source}", asked)
            )
            name = f"{example['id']}~{number + 1}"
            copies.append({**example, "id": name, "messages": messages})
    return copies
