"""The answers as lines of text: what the text was taken for, then what it means and what to do.

Plain lines with a style each, not rich: its import alone takes as long as all of ``import click``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from econnlab.commands.explain.answer import Answer, NotUnderstood
from econnlab.commands.explain.causes import about
from econnlab.commands.explain.index import Indexed
from econnlab.plaintext import harmless

_INDENT = "  "
_NARROWEST = 20
_QUOTED = 60
_EXCERPT = 300


@dataclass(frozen=True)
class Line:
    """A line as it is printed; ``style`` is bold, heading or nothing."""

    text: str
    style: str = ""


def page(answer: Answer, width: int) -> Iterator[Line]:
    """Everything about one answer, no line wider than ``width``."""
    word = answer.word
    if answer.because:
        yield from _wrapped(f"read as: {_taken_for(answer)}", width, "", "bold")
        for why in answer.because:
            yield from _wrapped(f"because {why}", width)
        if answer.doubt:
            yield from _wrapped(f"This is not the only reading. What would decide: {answer.doubt}", width)
        yield Line("")
    yield from _wrapped(word.title, width, "", "bold")
    yield from _wrapped(word.says, width)
    yield from _section("on the wire", [word.wire], width)
    yield from _section("likely causes", [f"{cause}: {about(cause)}" for cause in answer.causes], width)
    yield from _section("excluded", [f"{cause}: {why}" for cause, why in answer.excluded], width)
    yield from _section("see it", [f"econnlab run {name}" for name in answer.scenarios], width)
    yield from _section("what to do", answer.do, width, numbered=True)
    yield from _section("sources", word.sources, width)
    yield from _commands(answer.next, width)


def listing(words: Iterable[Indexed], width: int) -> Iterator[Line]:
    """Each word with its meaning in a sentence, by title."""
    for word in sorted(words, key=lambda word: word["title"].lower()):
        yield from _wrapped(word["title"], width, "", "bold")
        yield from _wrapped(word["brief"], width)
    yield Line("")
    yield from _wrapped("econnlab explain WORD tells more; WORD may be a whole pasted text.", width, "")


def refusal(found: NotUnderstood) -> tuple[str, str]:
    """What to say of a text that no word fits: the message, and the hint."""
    from econnlab.commands.explain.nearest import nearest  # difflib: only a refusal needs it

    message = f"No word is known in {_quoted(found.text)}."
    reading = found.reading
    if reading is not None and reading.healthy:
        message += f" It was read as: {reading.form}, which reports no failure."
    elif reading is not None and (reading.product or reading.why):
        why = f" ({harmless('; '.join(reading.why))})" if reading.why else ""
        message += f" It was read as: {reading.product or reading.form}{why}."
    listed = "econnlab explain lists them all."
    near = nearest(found.text)
    return message, f"Did you mean {', or '.join(near)}? {listed}" if near else f"Nothing is close; {listed}"


def excerpt(text: str) -> str:
    """At most 300 harmless characters of ``text``: its last lines, that hold the root."""
    shown = harmless(" ".join(text.split()))
    return shown if len(shown) <= _EXCERPT else f"...{shown[-_EXCERPT + 3 :]}"


def _taken_for(answer: Answer) -> str:
    times = f", {answer.times} times" if answer.times > 1 else ""
    return f"{answer.product}, {answer.reading.form}{times}"


def _quoted(text: str) -> str:
    shown = harmless(" ".join(text[: 4 * _QUOTED].split()))
    return f'"{shown}"' if len(shown) <= _QUOTED else f'"{shown[:_QUOTED]}..."'


def _section(heading: str, lines: Iterable[str], width: int, *, numbered: bool = False) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if number == 1:
            yield from (Line(""), Line(heading, "heading"))
        yield from _wrapped(line, width, f"{_INDENT}{number}. " if numbered else _INDENT)


def _commands(commands: Iterable[str], width: int) -> Iterator[Line]:
    """Commands are broken only as a shell reads them on."""
    for number, command in enumerate(commands):
        if not number:
            yield from (Line(""), Line("run now", "heading"))
        pieces = textwrap.wrap(command, max(_NARROWEST, width - 4), break_on_hyphens=False)
        for piece in pieces[:-1]:
            yield Line(f"{_INDENT}{piece} \\")
        yield Line(f"{_INDENT}{pieces[-1]}")


def _wrapped(text: str, width: int, lead: str = _INDENT, style: str = "") -> Iterator[Line]:
    further = " " * len(lead)
    for line in textwrap.wrap(
        harmless(text),
        max(_NARROWEST, width),
        initial_indent=lead,
        subsequent_indent=further,
        break_on_hyphens=False,
    ):
        yield Line(line.rstrip(), style)
