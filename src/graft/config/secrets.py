"""Users, passwords and tokens in addresses, which belong into the environment."""

import re

_USER = re.compile(r"""(?<=://)(?:[^/\s"'<>]*|[^/@:\s"'<>]*:(?!\d+/)[^\s"'<>]*)@""")
"""Up to the last @ before the path; requests takes passwords with an @ or a / too."""
_QUERY = re.compile(
    r"([?&](?:password|passwd|pwd|token|secret|api_?key)=)(?!\*{3})[^&\s]+", re.I
)


def without_secret(text: str) -> str:
    """A text without the users, passwords and tokens of addresses in it."""
    return _QUERY.sub(r"\1***", _USER.sub("", text))


def without_secrets(value: object) -> object:
    """The same for all texts in lists and objects."""
    if isinstance(value, str):
        return without_secret(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return value
