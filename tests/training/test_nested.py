import json

import torch

from graft.training.nested import from_outline, to_outline


def test_a_nested_value_returns_through_json() -> None:
    shared = torch.arange(3)
    value = {
        "state": {0: {"step": torch.tensor(2.0), "map": shared}, 1: {"map": shared}},
        "param_groups": [{"betas": (0.9, 0.999), "fused": True, "lr": 1e-4 / 3}],
        "none": None,
    }
    outline, tensors = to_outline(value)
    assert len(tensors) == 2  # the shared one once
    found = from_outline(json.loads(json.dumps(outline)), tensors.__getitem__)
    assert found == value and list(found["state"]) == [0, 1]
    assert isinstance(found["param_groups"][0]["betas"], tuple)
