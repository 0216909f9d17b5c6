"""Records of requests as a server makes them."""

from typing import Any

from graft.monitoring.served_request import ServedRequest


def served_request(**changes: Any) -> ServedRequest:
    """A completed request of one choice, with these changes."""
    values: dict[str, Any] = {
        "id": "r1",
        "time_ms": 1_700_000_000_000,
        "route": "/v1/chat/completions",
        "status": 200,
        "outcome": "completed",
        "client": None,
        "version": "translator/3",
        "group": "main",
        "num_prompt_tokens": 10,
        "num_completion_tokens": 5,
        "finishes": ["stop"],
        "duration_s": 0.5,
        "first_token_s": 0.1,
        "guards": {},
        "prompt_ids": [1, 2],
        "prompt": "A secret question.",
        "completions": ["A secret answer."],
    }
    return ServedRequest(**{**values, **changes})
