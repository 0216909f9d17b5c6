"""Removal of user names, passwords and tokens from URLs in messages and files."""

import re

_USER = re.compile(r"""(?<=://)(?:[^/\s"'<>]*|[^/@:\s"'<>]*:(?!\d+/)[^\s"'<>]*)@""")
"""User name and password: up to the last @ before the path, since requests accepts @
and / in passwords."""
_QUERY = re.compile(
    r"([?&](?:password|passwd|pwd|token|secret|api_?key)=)(?!\*{3})[^&\s]+", re.I
)


def without_secret(text: str) -> str:
    """The text without user names, passwords and tokens in URLs."""
    return _QUERY.sub(r"\1***", _USER.sub("", text))


def without_secrets(value: object) -> object:
    """Nested lists and objects with `without_secret` applied to all texts."""
    if isinstance(value, str):
        return without_secret(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return value
