"""The field `response_format` as a grammar of the engine."""

from graft.errors import RequestError
from graft.inference.grammars import JSON_OBJECT, json_grammar
from graft.serving.errors import ApiError, refused
from graft.serving.jobs import Request

SCHEMA = "response_format.json_schema.schema"


def grammar_of(body: Request) -> str | None:
    """The grammar of the answers to a request; None if they may be any text.

    It may take a fifth of a second, without holding the interpreter's lock.
    Raises: ApiError for a schema that cannot be enforced.
    """
    wanted = body.response_format
    if wanted is None or wanted.type == "text":
        return None
    schema = (
        JSON_OBJECT if wanted.json_schema is None else wanted.json_schema.json_schema
    )
    try:
        return json_grammar(schema)
    except RequestError as error:
        raise refused(error, SCHEMA) from error


def too_complex() -> ApiError:
    """The answer to a request whose grammar the engine could not follow to its end."""
    return ApiError(
        400,
        f"{SCHEMA}: too complex; use fewer alternatives and optional properties",
        param=SCHEMA,
        code="invalid_value",
    )
