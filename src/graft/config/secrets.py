"""Remove user names, passwords and tokens from addresses; they belong in the
environment."""

import re

_USER = re.compile(r"""(?<=://)(?:[^/\s"'<>]*|[^/@:\s"'<>]*:(?!\d+/)[^\s"'<>]*)@""")
"""Up to the last @ before the path; requests accepts @ and / in passwords."""
_QUERY = re.compile(
    r"([?&](?:password|passwd|pwd|token|secret|api_?key)=)(?!\*{3})[^&\s]+", re.I
)


def without_secret(text: str) -> str:
    """The text without user names, passwords and tokens in addresses."""
    return _QUERY.sub(r"\1***", _USER.sub("", text))


def without_secrets(value: object) -> object:
    """The same for all texts in nested lists and objects."""
    if isinstance(value, str):
        return without_secret(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return value
