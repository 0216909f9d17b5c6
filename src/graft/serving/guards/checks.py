"""What a request must not ask for where guards change its text."""

from graft.serving.errors import ApiError
from graft.serving.guards.guard import Guards


def check_logprobs(guards: Guards, num_likely: int | None) -> None:
    """Raises: ApiError if log-probabilities would show the text before the guards."""
    if guards and num_likely is not None:
        raise ApiError(
            400,
            "logprobs: not with the guards of this server, which change the text",
            param="logprobs",
            code="unsupported_value",
        )
