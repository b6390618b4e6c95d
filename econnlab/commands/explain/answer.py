"""What ``explain`` answers about one failure."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.commands.explain.glossary import Word
from econnlab.commands.explain.reading.found import Reading


@dataclass(frozen=True)
class Answer:
    """One failure explained: the word, refined by the state in the text."""

    slug: str
    word: Word
    reading: Reading
    product: str
    because: tuple[str, ...]  # why the text was taken for this
    causes: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]
    do: tuple[str, ...]
    scenarios: tuple[str, ...]
    next: tuple[str, ...]
    doubt: str = ""  # what would decide between this reading and the others
    times: int = 1  # how many entries of the text say the same


@dataclass(frozen=True)
class NotUnderstood:
    """No word fits; what was understood all the same."""

    text: str
    reading: Reading | None
