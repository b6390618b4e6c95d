"""The lines that a user pastes: read from snippets/REMEDY.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "snippets"
_BLOCK = re.compile(
    r"^## (?P<stack>\S+)\n\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_TITLE = re.compile(r"\A# (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """Some lines for one client or server."""

    stack: str
    #: As Markdown calls it: python, javascript, go, nginx, sh, yaml.
    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """All that there is to paste for one remedy."""

    title: str
    snippets: tuple[Snippet, ...]


def remedies_with_snippets() -> tuple[str, ...]:
    """The remedies that there is something to paste for."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.md")))


@cache
def page_of(remedy: str) -> Page:
    """The page of ``remedy``, which must be one of remedies_with_snippets()."""
    text = (_FOLDER / f"{remedy}.md").read_text(encoding="utf-8")
    title = _TITLE.search(text)
    assert title is not None, f"{remedy}.md begins with no title"
    found = _BLOCK.finditer(text)
    return Page(
        title["title"], tuple(Snippet(each["stack"], each["language"], each["text"]) for each in found)
    )
