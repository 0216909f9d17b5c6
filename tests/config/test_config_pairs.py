from pathlib import Path
from typing import Any

import pytest
import yaml

from graft.config.params import check_params
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]
FULL = {"method": "full", "freeze_layers": 0}
NONE = {"quantization": {"method": "none", "double_quant": False}}
VLLM = {"backend": "vllm", "vllm_python": "/vllm/bin/python"}


def check(changes: dict[str, dict[str, Any]]) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, keys in changes.items():
        replaced = section == "adapter" and keys.get("method") == "full"
        values[section] = keys if replaced else values[section] | keys
    check_params(values, "params.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantization": {"method": "none"}}, "has no scales to quantize"),
        ({"adapter": FULL}, "adapter.method=full with quantization.method=nf4"),
        (
            NONE | {"train": {"shard_base": True}},
            "only 4-bit weights can be sharded",
        ),
        (
            {"train": {"device": "cpu", "optimizer": "paged_adamw_8bit"}},
            "paging needs a GPU",
        ),
        (
            NONE | {"adapter": FULL, "train": {"gradient_checkpointing": "selective"}},
            "train.gradient_checkpointing=selective with adapter.method=full: "
            "the first needs",
        ),
        (
            {"adapter": {"dora": True}, "train": {"kernels": "fused"}},
            "train.kernels=fused with adapter.dora=true: the first needs fused layers",
        ),
        (
            {"train": {"kernels": "plain", "shard_base": True}},
            "train.shard_base=true with train.kernels=plain",
        ),
        (
            {"train": {"device": "cpu", "gradient_checkpointing": "offload"}},
            "activations are in host memory already",
        ),
        ({"generation": {"num_beams": 4, "temperature": 0.5}}, "does not sample"),
        (NONE | {"generation": {"backend": "vllm"}}, "name the Python"),
        (
            NONE | {"generation": VLLM | {"num_beams": 4}},
            "generation.backend=vllm with generation.num_beams=4",
        ),
        ({"generation": VLLM}, "vLLM quantizes weights itself"),
        (
            NONE | {"adapter": {"dora": True}, "generation": VLLM},
            "vLLM does not support DoRA",
        ),
    ],
)
def test_invalid_combinations_are_errors_with_the_reason(
    changes: dict[str, dict[str, Any]], message: str
) -> None:
    with pytest.raises(ConfigError, match="1 error") as caught:
        check(changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        NONE,
        NONE | {"generation": VLLM},
        NONE | {"adapter": FULL},
        NONE | {"adapter": FULL, "train": {"gradient_checkpointing": True}},
        {"adapter": {"dora": True}, "train": {"gradient_checkpointing": True}},
        {"train": {"device": "cpu", "optimizer": "adamw_8bit"}},
    ],
)
def test_valid_combinations_pass(changes: dict[str, dict[str, Any]]) -> None:
    check(changes)


def test_an_unknown_key_is_named_without_the_chosen_method() -> None:
    with pytest.raises(ConfigError) as caught:
        check(NONE | {"adapter": FULL | {"rank": 8}})
    assert "adapter.rank: unknown key" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        check({"adapter": {"rnak": 8}})
    assert "adapter.rnak: unknown key; did you mean rank?" in str(caught.value)
    with pytest.raises(ConfigError, match="adapter: .*'lora', 'full'"):
        check({"adapter": {"method": "prefix"}})
