from pathlib import Path
from typing import Any

import pytest
import yaml

from graft.config.params import check_params
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]
FULL = {"method": "full", "freeze_layers": 0}
NONE = {"quantization": {"method": "none", "double_quant": False}}


def check(changes: dict[str, dict[str, Any]]) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, keys in changes.items():
        replaced = section == "adapter" and keys.get("method") == "full"
        values[section] = keys if replaced else values[section] | keys
    check_params(values, "params.yaml")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quantization": {"method": "none"}}, "nothing to quantize twice"),
        ({"adapter": FULL}, "adapter.method=full with quantization.method=nf4"),
        (
            NONE | {"train": {"shard_base": True}},
            "only weights of 4 bits are dealt out",
        ),
        (
            {"train": {"device": "cpu", "optimizer": "paged_adamw_8bit"}},
            "no memory beside the processor's",
        ),
        (
            NONE | {"adapter": FULL, "train": {"gradient_checkpointing": "selective"}},
            "train.gradient_checkpointing=selective with adapter.method=full: it needs",
        ),
        (
            {"adapter": {"dora": True}, "train": {"kernels": "fused"}},
            "train.kernels=fused with adapter.dora=true: it needs fused layers",
        ),
        (
            {"train": {"kernels": "plain", "shard_base": True}},
            "train.shard_base=true with train.kernels=plain",
        ),
        (
            {"train": {"device": "cpu", "gradient_checkpointing": "offload"}},
            "is in the machine's memory already",
        ),
        ({"evaluate": {"num_beams": 4, "temperature": 0.5}}, "does not sample"),
    ],
)
def test_pairs_that_cannot_work_are_refused_with_the_reason(
    changes: dict[str, dict[str, Any]], told: str
) -> None:
    with pytest.raises(ConfigError, match="1 fault") as caught:
        check(changes)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        NONE,
        NONE | {"adapter": FULL},
        NONE | {"adapter": FULL, "train": {"gradient_checkpointing": True}},
        {"adapter": {"dora": True}, "train": {"gradient_checkpointing": True}},
        {"train": {"device": "cpu", "optimizer": "adamw_8bit"}},
    ],
)
def test_pairs_that_can_work_pass(changes: dict[str, dict[str, Any]]) -> None:
    check(changes)


def test_keys_of_another_method_are_named_without_it() -> None:
    with pytest.raises(ConfigError) as caught:
        check(NONE | {"adapter": FULL | {"rank": 8}})
    assert "adapter.rank: unknown key" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        check({"adapter": {"rnak": 8}})
    assert "adapter.rnak: unknown key; did you mean rank?" in str(caught.value)
    with pytest.raises(ConfigError, match="adapter: .*'lora', 'full'"):
        check({"adapter": {"method": "prefix"}})
