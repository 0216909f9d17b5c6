"""JSON schemas whose values are short, and judged by another library."""

import json
from typing import Any

import jsonschema
from hypothesis import strategies as st

TEXTS = st.text('aé€😀"\\\n x', max_size=4)
NAMES = st.sampled_from(["a", "id", "été", 'say "it"', "x y", "😀", "$", ""])


def _integers(low: int, size: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": low + size}


def _objects(
    properties: dict[str, Any], optional: set[str], extra: dict[str, Any] | bool
) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    shape = {"type": "object", "properties": properties, "required": required}
    return {**shape, "additionalProperties": extra}


LEAVES = st.one_of(
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.builds(_integers, st.integers(-999, 999), st.integers(0, 5000)),
    st.integers(0, 6).map(lambda most: {"type": "string", "maxLength": most}),
    st.sampled_from(["^[a-c]{2,5}$", "^(oui|non)$", r"^\d{4}-\d{2}$"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}
    ),
    st.sampled_from(["ipv4", "uuid"]).map(
        lambda name: {"type": "string", "format": name}
    ),
    st.lists(st.one_of(TEXTS, st.integers(-9, 9), st.none()), min_size=1).map(
        lambda values: {"enum": values}
    ),
    TEXTS.map(lambda value: {"const": value}),
)


def _branches(inner: st.SearchStrategy[dict[str, Any]]) -> Any:
    lists = st.builds(
        lambda items, few, more: {
            "type": "array",
            "items": items,
            "minItems": few,
            "maxItems": few + more,
        },
        inner,
        st.integers(0, 1),
        st.integers(0, 2),
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda of: {"anyOf": of})
    properties = st.dictionaries(NAMES, inner, max_size=3)
    return (
        lists
        | choices
        | st.builds(_objects, properties, st.sets(NAMES), st.just(False))
    )


SCHEMAS = st.recursive(LEAVES, _branches, max_leaves=6)

TOO_COMPLEX = {"type": "object", "properties": {f"k{n}": True for n in range(1000)}}
"""It compiles, but any of its properties may open the object: too many to go on."""


def check(text: str, schema: dict[str, Any]) -> None:
    """Raises: an error if a text is no JSON, or not as the schema wants it."""
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(json.loads(text), schema, format_checker=formats)
