"""Text from outside, made harmless before it reaches a terminal."""

from typing import Any


def harmless(text: str) -> str:
    """``text`` with control and other unprintable characters spelled out, as ``\\x1b``."""
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
