"""A random model of a few thousand weights, and a template whose tokens are bytes."""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import peft
import pytest
import torch
from row_answers import collect
from small_mistral import small_mistral
from transformers import MistralForCausalLM

from graft.inference.batching import run_requests
from graft.inference.requests import GenerationRequest, Sampling
from graft.records import Message

PAD, END = 256, 257
ADAPTERS = [None, "champion", "challenger"]  # of the fixture `adapted`
WAYS = [Sampling(), Sampling(temperature=1.0, top_p=0.9, seed=3)]


class ByteTemplate:
    """Token i is the byte i; two more pad and end."""

    pad_id = PAD
    stop_ids = [END]
    byte_ids: frozenset[int] = frozenset()

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        return list(f"{messages[0]['content']}:".encode())

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        del start
        return bytes(i for i in ids if i < PAD).decode(errors="replace")

    def show(self, ids: Sequence[int]) -> str:
        return self.decode(ids)

    def token_bytes(self) -> list[bytes | None]:
        return [*(bytes([i]) for i in range(PAD)), None, None]

    def encode_text(self, text: str) -> list[int]:
        return list(text.encode())


@pytest.fixture(scope="session")
def template() -> ByteTemplate:
    return ByteTemplate()


@pytest.fixture(scope="session")
def model() -> MistralForCausalLM:
    tokens = {"bos_token_id": None, "eos_token_id": END, "pad_token_id": PAD}
    return small_mistral(258, head_dim=8, **tokens).eval()


@pytest.fixture(scope="session")
def adapted(model) -> Any:
    """The model with two adapters, `champion` and `challenger`, as rows switch them."""
    config = peft.LoraConfig(r=2, target_modules=["v_proj"], task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = peft.get_peft_model(copy.deepcopy(model), config, "champion").eval()
        tuned.add_adapter("challenger", config)
    torch.manual_seed(1)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=1.0)
    return tuned


@pytest.fixture(scope="session")
def requests(adapted, template) -> list[GenerationRequest]:
    """Rows that end by a stop text, a stop token, or the limit."""
    rows = [
        GenerationRequest(
            row,
            [(7 * row + i * i) % 251 for i in range(1 + 5 * row % 37)],
            7 - row % 4,
            ADAPTERS[row % 3],
            stop_ids=frozenset({END}),
            template=template,
            sampling=WAYS[row % 2],
        )
        for row in range(6)
    ]
    texts = collect(run_requests(adapted, rows, 1))
    stops = [text[3:5] if len(text) > 4 else "zz" for _, text, _ in texts.values()]
    return [replace(row, stop=[stops[n % 5]]) for n, row in enumerate(rows)]


@pytest.fixture(scope="session")
def expected(adapted, requests) -> dict[Any, Any]:
    """Tokens, text and finish of each row alone."""
    alone = (collect(run_requests(adapted, [row], 1)) for row in requests)
    return {row: ended[row] for row, ended in enumerate(alone)}
