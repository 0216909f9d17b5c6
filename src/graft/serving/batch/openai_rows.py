"""OpenAI's batch format.

Source: OpenAI's API reference, Batch: the request input object and the request output
object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graft.io import digest
from graft.records import Reject, Row
from graft.serving.batch.requests import BatchRequest, Response
from graft.serving.errors import ApiError

PREFIX = "/v1/"


@dataclass(frozen=True)
class OpenAiLayout:
    """Rows with `custom_id`, `method`, `url` and `body`.

    Args:
        run: digest of the run, which ids are made of.
    """

    run: str = ""
    columns = None

    def to_request(self, row: Row, number: int) -> BatchRequest:
        """The request of a row. Raises: ApiError if it has none."""
        values = row.values
        if not isinstance(values.get("custom_id"), str):
            raise ApiError(400, "custom_id: missing, or not a text", param="custom_id")
        if values.get("method") != "POST":
            raise ApiError(400, "method: must be POST", param="method")
        path, body = values.get("url"), values.get("body")
        if not isinstance(path, str) or not path.startswith(PREFIX):
            raise ApiError(400, "url: a path such as /v1/chat/completions", param="url")
        if not isinstance(body, Mapping):
            raise ApiError(400, "body: missing, or not an object", param="body")
        if body.get("stream"):
            raise ApiError(400, "stream: not in a batch", param="stream")
        return BatchRequest(number, path, body)

    def to_result(
        self, row: Row | Reject, number: int, response: Response
    ) -> dict[str, Any]:
        """The output object of a row."""
        own = digest(f"{self.run}:{number}")
        result: dict[str, Any] = {
            "id": f"batch_req_{own}",
            "custom_id": (
                None if isinstance(row, Reject) else row.values.get("custom_id")
            ),
            "response": None,
            "error": None,
        }
        if response.status:
            result["response"] = {
                "status_code": response.status,
                "request_id": response.request_id or own,
                "body": response.body,
            }
        else:
            result["error"] = {"code": "invalid_row", "message": response.error}
        return result

    def error_of(self, result: Mapping[str, Any]) -> str | None:
        """Why a result has no completion."""
        if response := result["response"]:
            return Response(response["status_code"], response["body"]).error
        return str(result["error"]["message"])
