"""What a form found in a text, and what all forms together say."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Found:
    """What one form recognised.

    ``tags`` are what words ask for (``node``, ``frame:socketOnEnd``, ``haproxy:sH``), each with the sentence
    that says what in the text shows it; empty where the form's own ``why`` says it already.
    """

    why: str
    tags: dict[str, str] = field(default_factory=dict)
    product: str = ""  # what wrote the text, where the form alone decides it
    facts: dict[str, str] = field(default_factory=dict)  # named values read from the text
    errors: bool = True  # False for a record that says that all went well


@dataclass(frozen=True)
class Reading:
    """One entry of the text, read."""

    text: str
    lower: str
    form: str
    product: str
    tags: dict[str, str]
    facts: dict[str, str]
    why: tuple[str, ...]
    healthy: bool = False
