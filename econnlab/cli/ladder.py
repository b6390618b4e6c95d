"""A failure as a ladder: who sent what and when, and where the request met the end of the connection.

   ms   client                      server
0.000   |-- SYN ------------------------>|
5001.2  |<------------------------ FIN --|
5001.4  |-- 209 bytes ------------------>|  GET / HTTP/1.1
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from econnlab.attribution.packets.observing import address_text
from econnlab.cli.console import Hanging
from econnlab.packets.excerpt import Connection, Row
from econnlab.packets.layers import ACK, FIN, RST, SYN
from econnlab.plaintext import harmless

#: Shorter pauses are not drawn, ns.
_PAUSE_NS = 50_000_000
_TIME_WIDTH = 11
_NARROWEST_LANE, _WIDEST_LANE = 22, 38
#: Text beside the lanes needs this much room; with less it goes below.
_NARROWEST_TEXT = 16
#: How many packets of a long connection are drawn at its beginning and at its end.
_HEAD, _TAIL = 6, 18


@dataclass(frozen=True)
class Ladder:
    """The packets of one failure; if a proxy is involved, those of both hops side by side."""

    rows: Sequence[Row]
    #: The connection in front of the proxy comes first.
    connections: tuple[Connection, ...]
    #: The text below the packets.
    verdict: Text
    #: The name of what stands between two hops.
    between: str = "proxy"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = _merged([row for row in self.rows if _matters(row)])
        if rows:
            yield from _Drawing(self, rows, options).lines()
        else:
            yield Text("none of its packets is in this capture", "dim")
        yield Hanging(self.verdict)


@dataclass(frozen=True)
class _Signs:
    line: str
    right: str
    left: str
    rail: str
    gap: str
    crossed: str


_DRAWN = _Signs("─", "▶", "◀", "│", "┆", "✗")
_ASCII = _Signs("-", ">", "<", "|", ":", "x")


class _Drawing:
    """``rows`` of ``ladder`` on a console: a lane for each connection, and text beside them or below."""

    def __init__(self, ladder: Ladder, rows: Sequence[Row], options: ConsoleOptions) -> None:
        self._ladder = ladder
        self._rows = rows
        self._signs = _ASCII if options.ascii_only else _DRAWN
        self._width = options.max_width
        lanes = len(ladder.connections)
        self._lane = max(_NARROWEST_LANE, min(_WIDEST_LANE, (self._width - _TIME_WIDTH - 26) // lanes))
        self._room = self._width - _TIME_WIDTH - self._lane * lanes - 1

    def lines(self) -> Iterator[Text]:
        """Heading, packets, pauses."""
        yield from self._heading()
        began = last = self._rows[0].at_ns
        marks = _marks(self._rows, self._ladder)
        for row in _shortened(self._rows):
            if row is None:
                last = self._rows[-_TAIL - 1].at_ns
                left_out = len(self._rows) - _HEAD - _TAIL
                yield Text(f"{'':{_TIME_WIDTH}}{self._signs.gap}  {left_out} packets left out", "dim")
                continue
            if row.at_ns - last > _PAUSE_NS:
                pause = f"{(row.at_ns - last) / 1e6:.1f} ms nothing"
                yield Text(f"{self._rails(self._signs.gap).plain}  {pause}", "dim")
            last = row.at_ns
            yield from self._step(row, row.at_ns - began, marks.get(id(row), ""))

    def _heading(self) -> Iterator[Text]:
        ladder = self._ladder
        between = [] if len(ladder.connections) == 1 else [ladder.between]
        ends = [ladder.connections[0].client, *(each.server for each in ladder.connections)]
        for time, names, style in (
            ("ms", ["client", *between, "server"], "bold"),
            ("", [address_text(end) for end in ends], "dim"),
        ):
            yield Text(f"{time:>{_TIME_WIDTH - 2}}  {_columns(names, self._lane)}", style)

    def _rails(self, sign: str) -> Text:
        """A line without a packet."""
        lanes = len(self._ladder.connections)
        return Text(f"{'':{_TIME_WIDTH}}" + (sign + " " * (self._lane - 1)) * lanes + sign)

    def _step(self, row: Row, since_ns: int, mark: str) -> Iterator[Text]:
        """One arrow in the lane of its connection, and the text about it."""
        style = "red" if row.flags & RST else "yellow" if row.flags & FIN else ""
        line = Text(f"{since_ns / 1e6:{_TIME_WIDTH - 2}.3f}  ", "dim").append(self._signs.rail, "none")
        for connection in self._ladder.connections:
            mine = connection == row.connection
            arrow = _arrow(row, self._lane, self._signs) if mine else " " * (self._lane - 1)
            line.append(arrow, style or "none").append(self._signs.rail, "none")
        said = [(harmless(row.line), "none")] if row.line else []
        if mark:
            said.append((f"{self._signs.crossed} {mark}", "red"))
        yield from self._beside(line, said)

    def _beside(self, line: Text, said: Sequence[tuple[str, str]]) -> Iterator[Text]:
        """``said`` after ``line``; what does not fit goes below, beside the rails if there is room."""
        if self._room < _NARROWEST_TEXT:
            yield line
            for words, style in said:
                for part in _wrapped(words, self._width - _TIME_WIDTH):
                    yield Text(" " * _TIME_WIDTH).append(part, style)
            return
        for words, style in said:
            for part in _wrapped(words, self._room - 2):
                if line.cell_len + 2 + len(part) > self._width:
                    yield line
                    line = self._rails(self._signs.rail)
                line.append("  ").append(part, style)
        yield line


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False)


def _columns(names: Sequence[str], lane: int) -> str:
    return "".join(f"{name:{lane}}" for name in names[:-1]) + names[-1]


def _matters(row: Row) -> bool:
    """The packet shows something; a bare ACK does not."""
    return bool(row.size or row.flags & (SYN | FIN | RST))


def _merged(rows: Sequence[Row]) -> list[Row]:
    """``rows`` with consecutive data packets of one side joined into one."""
    merged: list[Row] = []
    for row in rows:
        before = merged[-1] if merged else None
        if before is not None and _goes_on(before, row):
            merged[-1] = before._replace(size=before.size + row.size, packets=before.packets + 1)
        else:
            merged.append(row)
    return merged


def _goes_on(before: Row, row: Row) -> bool:
    same = before.connection == row.connection and before.by_client == row.by_client
    plain = not (before.flags | row.flags) & (SYN | FIN | RST) and row.at_ns - before.at_ns < _PAUSE_NS
    return same and plain and before.again == row.again and bool(before.size and row.size) and not row.line


def _shortened(rows: Sequence[Row]) -> list[Row | None]:
    if len(rows) <= _HEAD + _TAIL + 1:
        return list(rows)
    return [*rows[:_HEAD], None, *rows[-_TAIL:]]


def _arrow(row: Row, lane: int, signs: _Signs) -> str:
    label = f" {_label(row)} "
    line = signs.line * max(1, lane - 4 - len(label))
    if row.by_client:
        return signs.line * 2 + label + line + signs.right
    return signs.left + line + label + signs.line * 2


def _label(row: Row) -> str:
    names = [name for flag, name in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST")) if row.flags & flag]
    if row.flags & ACK and row.flags & (SYN | RST):
        names.append("ACK")
    if row.size:
        many = f"{row.packets} x, " if row.packets > 1 else ""
        names.insert(0, f"{many}{row.size} bytes{' again' if row.again else ''}")
    return " ".join(names)


def _marks(rows: Sequence[Row], ladder: Ladder) -> dict[int, str]:
    """Texts on packets that crossed: an end sent before the request arrived, a request sent after the end."""
    marks: dict[int, str] = {}
    for connection in ladder.connections:
        _mark_crossing([row for row in rows if row.connection == connection], marks)
    return marks


def _mark_crossing(rows: Sequence[Row], marks: dict[int, str]) -> None:
    sent: Row | None = None
    end: Row | None = None
    for row in rows:
        if row.by_client and row.size and not row.again:
            sent = row
            if end is not None:
                marks[id(row)] = f"{(row.at_ns - end.at_ns) / 1e6:.1f} ms after the {_name(end)}"
        elif not row.by_client and row.flags & (FIN | RST) and end is None:
            end = row
            if sent is not None and not _knows(row, sent):
                marks[id(row)] = "crosses the request: acknowledges none of it"


def _name(row: Row) -> str:
    return "RST" if row.flags & RST else "FIN"


def _knows(end: Row, sent: Row) -> bool:
    """The end acknowledges the request. True for an RST without ACK, which cannot tell."""
    if not end.flags & ACK:
        return True
    return ((end.ack - sent.seq - 1) & 0xFFFFFFFF) < 0x80000000
