"""The glossary: each failure as users meet it, what it means on the wire, what to do. Pure.

One TOML file a word under ``words/``, in a folder for each family, found by its name.
``words/shared.toml`` holds what several words use: ``"@outlive"`` in a list stands for such a sentence.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from econnlab.errors import UsageProblem
from econnlab.scenario.codec import decode

FOLDER = Path(__file__).parent / "words"
SHARED = FOLDER / "shared.toml"
#: The causes that only explain knows, each with its sentence.
BEYOND = Path(__file__).parent / "beyond.toml"

#: Of several words in one text the highest level answers; the others refine it. A ``service`` is a client of
#: a database, a broker or gRPC: it says more than the socket error of its language. A ``record`` decides
#: alone.
LEVELS = {"status": 0, "code": 1, "wrapper": 2, "message": 3, "service": 4, "record": 5}


@dataclass(frozen=True)
class Match:
    """What must stand in a text: one of ``said``, one of ``near``, all of ``tags``, none of ``unless``.

    ``near`` and ``unless`` hold literals, or tags as ``#node``. ``*`` in ``said``: up to 200 characters.
    """

    said: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """What else in the text changes the answer; the first State with causes decides their order."""

    tags: tuple[str, ...] = ()  # all of them
    near: tuple[str, ...] = ()  # one of them
    unless: tuple[str, ...] = ()
    reading: str = ""  # what it shows
    causes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # behind the first cause
    excluded: dict[str, str] = field(default_factory=dict)  # each with its why
    do: tuple[str, ...] = ()  # before the word's own
    next: tuple[str, ...] = ()


@dataclass(frozen=True)
class Word:
    """One failure, or one family of a single meaning."""

    title: str
    product: str  # who says it, as an answer names it
    says: str
    wire: str  # what it means on the wire
    causes: tuple[str, ...]  # names, the likeliest first
    do: tuple[str, ...]  # the most useful first
    next: tuple[str, ...]  # commands; {url}, {host}, {port} are filled from the text
    sources: tuple[str, ...]
    scenarios: tuple[str, ...] = ()  # names of scenarios that show it
    level: str = "message"
    typed: tuple[str, ...] = ()  # found when typed exactly so: too short to be looked for in a text
    match: tuple[Match, ...] = ()
    perhaps: tuple[str, ...] = ()  # several products word it so: a bare phrase may mean this word
    decides: str = ""  # what in a fuller text would tell this reading from others
    state: tuple[State, ...] = ()


def read_word(text: str, where: str) -> Word:
    """The word in ``text``, the content of the file ``where``.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    word = decode(Word, _toml(text, where), where)
    if word.level not in LEVELS:
        raise UsageProblem(f"{where}: level: expected one of {', '.join(LEVELS)}, found {word.level!r}.")
    return replace(
        word,
        do=_expand(word.do, "do", where),
        next=_expand(word.next, "next", where),
        state=tuple(
            replace(state, do=_expand(state.do, "do", where), next=_expand(state.next, "next", where))
            for state in word.state
        ),
    )


@cache
def word(slug: str) -> Word:
    """The word of this name, read from its file."""
    path = FOLDER / f"{slug}.toml"
    return read_word(path.read_text(encoding="utf-8"), f"{slug}.toml")


def slugs() -> list[str]:
    """The name of every word, with its family's: ``node/socket-hang-up``."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*.toml"))


@cache
def beyond() -> dict[str, str]:
    """The causes that the lab does not stage, each with what it is."""
    return {
        str(name): str(what) for name, what in _toml(BEYOND.read_text(encoding="utf-8"), BEYOND.name).items()
    }


@cache
def concerns() -> dict[str, str]:
    """The shared sentences that are about one cause, each with that cause."""
    sentences = _shared()["do"]
    return {sentences[name][0]: cause for name, (cause,) in _shared()["concerns"].items()}


@cache
def shows() -> dict[str, str]:
    """The cause that a scenario is about, by the scenario's name."""
    return {name: cause for name, (cause,) in _shared()["shows"].items()}


@cache
def _shared() -> dict[str, dict[str, list[str]]]:
    return {
        kind: {name: [value] if isinstance(value, str) else value for name, value in some.items()}
        for kind, some in _toml(SHARED.read_text(encoding="utf-8"), SHARED.name).items()
    }


def _expand(lines: tuple[str, ...], kind: str, where: str) -> tuple[str, ...]:
    """``lines`` with ``@name`` replaced by what is shared under that name."""
    found: list[str] = []
    for line in lines:
        if line.startswith("@"):
            if line[1:] not in _shared()[kind]:
                raise UsageProblem(
                    f"{where}: {kind}: nothing is shared as {line!r}.", f"{SHARED.name} has what is."
                )
            found += _shared()[kind][line[1:]]
        else:
            found.append(line)
    return tuple(dict.fromkeys(found))


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
