"""Adapters that vLLM can load."""

from pathlib import Path
from typing import Any

import pytest

from graft.errors import ModelError
from graft.io import write_json
from graft.models.vllm_adapters import check_vllm_adapter, vllm_rank


@pytest.mark.parametrize(
    ("rank", "allowed"), [(1, 1), (2, 8), (8, 8), (24, 32), (512, 512), (513, None)]
)
def test_the_vllm_rank_is_the_smallest_that_fits(
    rank: int, allowed: int | None
) -> None:
    assert vllm_rank(rank) == allowed


def make(folder: Path, **changes: Any) -> Path:
    values = {"r": 4, "use_dora": False, "bias": "none", "modules_to_save": None}
    write_json(folder / "adapter_config.json", values | changes)
    return folder


def test_the_largest_rank_of_any_layer_counts(tmp_path: Path) -> None:
    assert check_vllm_adapter(make(tmp_path)) == 8
    assert check_vllm_adapter(make(tmp_path, rank_pattern={"v_proj": 9})) == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": True}, "is of DoRA"),
        ({"bias": "all"}, "trains biases"),
        ({"modules_to_save": ["lm_head"]}, "trains whole modules"),
        ({"r": 513}, "has rank 513"),
    ],
)
def test_adapters_that_vllm_would_not_apply_as_a_whole_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        check_vllm_adapter(make(tmp_path, **changes))
