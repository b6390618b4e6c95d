"""The one place that text from outside passes before it reaches a terminal, a page or a file."""

import re
from typing import Any

#: The password in a URL (RFC 3986 section 3.2.1); the user's name stays.
_PASSWORD = re.compile(r"(//[^\s/?#@:]*:)[^\s/?#]*(?=@)")


def without_passwords(text: str) -> str:
    """``text`` with the password of each URL in it as ``***``."""
    return _PASSWORD.sub(r"\1***", text) if "@" in text and "//" in text else text


def without_passwords_in(value: Any) -> Any:
    """A JSON value with every text in it ``without_passwords``."""
    if isinstance(value, str):
        return without_passwords(value)
    if isinstance(value, list | tuple):
        return [without_passwords_in(item) for item in value]
    if isinstance(value, dict):
        return {key: without_passwords_in(item) for key, item in value.items()}
    return value


def harmless(text: str) -> str:
    """``text`` without passwords, and with unprintable characters spelled out, as ``\\x1b``."""
    text = without_passwords(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def harmless_lines(text: str) -> str:
    """``harmless`` for each line, keeping the line ends."""
    return "\n".join(map(harmless, text.split("\n")))


def harmless_values(value: Any) -> Any:
    """A decoded JSON value with every text in it harmless but for its line ends, keys as well."""
    if isinstance(value, str):
        return harmless_lines(value)
    if isinstance(value, list):
        return [harmless_values(item) for item in value]
    if isinstance(value, dict):
        return {harmless(key): harmless_values(item) for key, item in value.items()}
    return value
