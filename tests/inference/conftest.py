"""A random model of a few thousand weights, and a template whose tokens are bytes."""

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import peft
import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM

from graft.records import Message

PAD, END = 256, 257


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
    torch.manual_seed(0)
    config = MistralConfig(  # pylint: disable=unexpected-keyword-arg
        vocab_size=258,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        initializer_range=0.3,  # wide, so that a random model does not repeat itself
        sliding_window=None,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=PAD,
    )
    return MistralForCausalLM(config).eval()


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
