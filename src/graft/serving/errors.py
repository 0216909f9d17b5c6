"""Errors of the API, in OpenAI's schema, with the four parts of graft's errors."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from graft.errors import GraftError

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class ApiError(Exception):
    """A request that is answered with an error.

    Args:
        status: of HTTP.
        message: what is wrong, what was expected, how to fix it.
        param: the field of the request that is wrong.
        code: a word for programs.
        retry_after_s: seconds after which the same request may succeed.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.param, self.code = param, code
        self.headers: Mapping[str, str] = {}
        if retry_after_s is not None:
            self.headers = {"Retry-After": str(retry_after_s)}
        elif status == 401:
            self.headers = {"WWW-Authenticate": "Bearer"}

    def to_body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        return {
            "error": {
                "message": self.message,
                "type": KINDS.get(self.status, "server_error"),
                "param": self.param,
                "code": self.code,
            }
        }


def refused(error: GraftError, param: str) -> ApiError:
    """The answer to a request with an error that its sender can correct."""
    return ApiError(400, str(error), param=param, code="invalid_value")


def invalid(details: Sequence[Mapping[str, Any]], known: Sequence[str]) -> ApiError:
    """The answer to a body that is not valid.

    Args:
        details: pydantic's errors, as FastAPI reports them.
        known: the fields of the body.
    """
    first = details[0]
    place = [str(part) for part in first["loc"] if part != "body"]
    if first["type"] == "json_invalid":
        return ApiError(400, "the body is not valid JSON", code="invalid_json")
    if isinstance(first.get("input"), bytes):
        text = "the body is not JSON: send the header content-type: application/json"
        return ApiError(400, text, code="invalid_content_type")
    problem = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "value_error" and not place:  # begins with its field
        return ApiError(
            400, problem, param=problem.partition(":")[0], code="invalid_value"
        )
    if first["type"] == "string_type" and place[-1:] == ["str"]:  # a union's member
        place.pop()
    param = ".".join(_without_types(place)) or None
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        text = f"{param}: this server does not support this field{hint}"
        return ApiError(400, text, param=param, code="unsupported_field")
    if first["type"] == "missing":
        text = f"{param or 'body'}: this field is required"
        return ApiError(400, text, param=param, code="missing_field")
    return ApiError(
        400, f"{param or 'body'}: {problem}", param=param, code="invalid_value"
    )


def _without_types(place: Sequence[str]) -> list[str]:
    """A location without the names of union members, which pydantic inserts."""
    return [part for part in place if part.isdigit() or part.isidentifier()]
