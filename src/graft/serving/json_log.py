"""The log of requests: a JSON object a line."""

import json
import logging
from dataclasses import dataclass
from typing import Any

from graft.monitoring.served_request import ServedRequest

LOGGER = logging.getLogger("graft.requests")
PROBES = "/health/"
"""Supervisors ask these every second; they are neither logged
nor traced."""


@dataclass(frozen=True)
class JsonLog:
    """Logs each request.

    Args:
        texts: whether prompts and completions are logged.
    """

    texts: bool

    def observe(self, request: ServedRequest) -> None:
        """Log a line."""
        level = logging.DEBUG if request.route.startswith(PROBES) else logging.INFO
        if LOGGER.isEnabledFor(level):
            LOGGER.log(level, json.dumps(self._line(request)))

    def _line(self, request: ServedRequest) -> dict[str, Any]:
        line: dict[str, Any] = {
            "request": request.id,
            "route": request.route,
            "status": request.status,
            "outcome": request.outcome,
            "ms": round(1000 * request.duration_s, 1),
            "client": request.client,
        }
        if request.error is not None:
            line["error"] = request.error
        if request.trace is not None:
            line["trace"] = request.trace.trace_id
        if request.version is None:
            return line
        line |= {
            "version": request.version,
            "group": request.group,
            "prompt_tokens": request.num_prompt_tokens,
            "completion_tokens": request.num_completion_tokens,
            "finish": list(request.finishes),
        }
        if request.first_token_s is not None:
            line["first_token_ms"] = round(1000 * request.first_token_s, 1)
        if request.guards:
            line["guards"] = dict(request.guards)
        if self.texts:
            line |= {"prompt": request.prompt, "texts": list(request.completions)}
        return line
