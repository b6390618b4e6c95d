"""A log read to its end, or to an interrupt: one pass, bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from econnlab.commands.explain.answer import Answer
from econnlab.commands.explain.explaining import failures
from econnlab.commands.explain.log.access import Access, Format
from econnlab.commands.explain.log.classifying import Classifier
from econnlab.commands.explain.log.directive import by_directive
from econnlab.commands.explain.log.idle import IdleTimes
from econnlab.commands.explain.log.joining import Joiner
from econnlab.commands.explain.log.stamps import Stamps, said
from econnlab.commands.explain.log.tally import Tally
from econnlab.discovery import parts
from econnlab.errors import UsageProblem, did_you_mean

FORMATS = "econnlab.commands.explain.log.formats"
#: Every entry is read as text: errors, traces, JSON.
TEXT = "text"
_SNIFFED = 200
_UPSTREAM = re.compile(r'upstream: "(?:\w+://)?([^"/]+|unix:[^"]+?)(?:/|:?")')
_MOSTLY = 0.8


def read_log(batches: Iterable[list[str]], wanted: str) -> Tally:
    """The summary of a log; ``wanted`` is a format's name or string, or empty to recognise it.

    KeyboardInterrupt ends the reading, not the summary.
    """
    tally = Tally()
    source = _until_damaged(batches, tally)
    first: list[str] = []
    try:
        first = next(source, [])
    except KeyboardInterrupt:
        tally.interrupted = True
    found = chosen(wanted) if wanted else recognised(first)
    tally.format = found.name if found else TEXT
    tally.has_targets = found is not None and found.has_targets
    reading = _Accesses(found, tally) if found else _Texts(first, tally)
    try:
        for lines in chain([first], source):
            tally.lines += len(lines)
            reading.take(lines)
    except KeyboardInterrupt:
        tally.interrupted = True
    reading.end()
    return tally


def _until_damaged(batches: Iterable[list[str]], tally: Tally) -> Iterator[list[str]]:
    try:
        yield from batches
    except UsageProblem as problem:
        tally.problem = problem.message


def chosen(wanted: str) -> Format | None:
    """The format of this name or string; None for text. Raises UsageProblem."""
    names = parts(FORMATS)
    if wanted == TEXT:
        return None
    if wanted in names:
        made: Format = names[wanted].reader()
        return made
    if "$" in wanted or "%" in wanted:
        return by_directive(wanted)
    raise UsageProblem(
        f"No format is known as {wanted!r}.",
        f"{did_you_mean(wanted, [*names, TEXT])} A log_format string does as well.",
    )


def recognised(lines: list[str]) -> Format | None:
    """The format that most of the first lines have; the one that knows targets wins."""
    sample = [line for line in lines[:_SNIFFED] if line]
    fitting = []
    for module in parts(FORMATS).values():
        made: Format = module.reader()
        share = sum(made.read(line) is not None for line in sample) / max(1, len(sample))
        if share >= _MOSTLY:
            fitting.append((made.has_targets, share, made))
    return max(fitting, key=lambda each: each[:2])[2] if fitting else None


def _upstream(entry: str) -> str:
    """The server that a line of nginx's error log names."""
    found = _UPSTREAM.search(entry)
    return found[1] if found else ""


class _Accesses:
    """The lines of an access log."""

    def __init__(self, format: Format, tally: Tally) -> None:
        self._format = format
        self._tally = tally
        self._idle = IdleTimes()
        self._answers: dict[str, Answer | None] = {}
        self._text = Classifier()
        self._stamps = Stamps()

    def take(self, lines: list[str]) -> None:
        read, idle, tally = self._format.read, self._idle, self._tally
        for line in lines:
            if not line:
                continue
            tally.entries += 1
            access = read(line)
            if access is None:
                self._other(line)
                continue
            if access.failure:
                self._failed(line, access)
            began, ended = access.began, access.ended
            if access.target and began is not None and ended is not None:
                idle.add(access.target, began, ended, lost=access.lost)

    def _failed(self, line: str, access: Access) -> None:
        self._tally.lost += access.lost
        if access.failure not in self._answers:
            found = failures(self._format.explained(line))
            self._answers[access.failure] = found[0] if found else None
        answer = self._answers[access.failure]
        if answer is not None:
            stamp = said(access.ended) if access.ended is not None else self._stamps.of(line)
            self._tally.add(answer, line, stamp, access.target)

    def _other(self, line: str) -> None:
        """A line of another shape, as where access and error log are one."""
        self._tally.other_shape += 1
        answer = self._text.answer(line)
        if answer is not None:
            self._tally.add(answer, line, self._stamps.of(line))

    def end(self) -> None:
        self._tally.idle = self._idle.findings()
        self._tally.timed = self._idle.timed


class _Texts:
    """Entries of text, which may go on from one batch to the next."""

    def __init__(self, first: list[str], tally: Tally) -> None:
        self._joiner = Joiner([line for line in first[:_SNIFFED] if line])
        self._tally = tally
        self._classifier = Classifier()
        self._stamps = Stamps()
        self._pending = ""

    def take(self, lines: list[str]) -> None:
        previous = ""
        for entry in self._joiner.entries(chain(self._pending.split("\n"), lines)):
            if previous:
                self._one(previous)
            previous = entry
        self._pending = previous

    def _one(self, entry: str) -> None:
        self._tally.entries += 1
        answer = self._classifier.answer(entry)
        if answer is not None:
            target = _upstream(entry) if "upstream" in answer.reading.facts else ""
            self._tally.add(answer, entry, self._stamps.of(entry), target)

    def end(self) -> None:
        if self._pending:
            self._one(self._pending)
