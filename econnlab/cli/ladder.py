"""A failure drawn as a ladder: who sent what when, and where the request met the end.

   ms   client                      server
0.000   |-- SYN ------------------------>|
5001.2  |<------------------------ FIN --|
5001.4  |-- 209 bytes ------------------>|  GET / HTTP/1.1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from econnlab.attribution.packets.observing import address_text
from econnlab.packets.excerpt import Connection, Row
from econnlab.packets.layers import ACK, FIN, RST, SYN
from econnlab.plaintext import harmless

#: A pause from which on it is drawn as one, ns.
_PAUSE_NS = 50_000_000
_TIME_WIDTH = 11
_NARROWEST_LANE, _WIDEST_LANE = 22, 38
#: Packets drawn before and after a part of a long connection that is left out.
_HEAD, _TAIL = 6, 18


@dataclass(frozen=True)
class Ladder:
    """The packets of one failure; of a failure behind a proxy, those of both hops side by side."""

    rows: Sequence[Row]
    #: In front of the proxy first.
    connections: tuple[Connection, ...]
    #: What is said under it.
    verdict: Text
    #: What stands between client and server where there are two hops.
    between: str = "proxy"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _draw(self, options.max_width, ascii_only=options.ascii_only)


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


def _draw(ladder: Ladder, width: int, *, ascii_only: bool) -> Iterator[Text]:
    signs = _ASCII if ascii_only else _DRAWN
    rows = _merged([row for row in ladder.rows if _matters(row)])
    if not rows:
        yield Text("none of its packets is in this capture", "dim")
        yield ladder.verdict
        return
    lanes = len(ladder.connections)
    lane = max(_NARROWEST_LANE, min(_WIDEST_LANE, (width - _TIME_WIDTH - 26) // lanes))
    yield from _heading(ladder, lane)
    shown = _shortened(rows)
    began, last = rows[0].at_ns, rows[0].at_ns
    marks = _marks(rows, ladder)
    for row in shown:
        if row is None:
            left_out = len(rows) - _HEAD - _TAIL
            last = rows[-_TAIL - 1].at_ns
            yield Text(f"{'':{_TIME_WIDTH}}{signs.gap}  {left_out} packets left out", "dim")
            continue
        if row.at_ns - last > _PAUSE_NS:
            pause = f"  {(row.at_ns - last) / 1e6:.1f} ms nothing"
            yield Text(
                f"{'':{_TIME_WIDTH}}" + (signs.gap + " " * (lane - 1)) * lanes + signs.gap + pause, "dim"
            )
        last = row.at_ns
        yield _step(row, row.at_ns - began, ladder, lane, signs, marks.get(id(row), ""))
    yield ladder.verdict


def _heading(ladder: Ladder, lane: int) -> Iterator[Text]:
    names = ["client", "server"] if len(ladder.connections) == 1 else ["client", ladder.between, "server"]
    ends = [ladder.connections[0].client, *(each.server for each in ladder.connections)]
    addresses = [address_text(end) for end in ends]
    for line, style in ((names, "bold"), (addresses, "dim")):
        yield Text(f"{'ms' if line is names else '':>{_TIME_WIDTH - 2}}  " + _columns(line, lane), style)


def _columns(names: Sequence[str], lane: int) -> str:
    return "".join(f"{name:{lane}}" for name in names[:-1]) + names[-1]


def _matters(row: Row) -> bool:
    """A bare ACK says nothing that the rest does not."""
    return bool(row.size or row.flags & (SYN | FIN | RST))


def _merged(rows: Sequence[Row]) -> list[Row]:
    """Runs of data that one side sent, each as one packet: what is in between are turns."""
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


def _step(row: Row, since_ns: int, ladder: Ladder, lane: int, signs: _Signs, mark: str) -> Text:
    """One arrow, in the lane of its connection."""
    label = f" {_label(row)} "
    room = lane - 1 - len(label) - 1
    if row.by_client:
        arrow = signs.line * 2 + label + signs.line * max(1, room - 2) + signs.right
    else:
        arrow = signs.left + signs.line * max(1, room - 2) + label + signs.line * 2
    lanes = [arrow if connection == row.connection else " " * (lane - 1) for connection in ladder.connections]
    style = "red" if row.flags & RST else "yellow" if row.flags & FIN else ""
    text = Text(f"{since_ns / 1e6:{_TIME_WIDTH - 2}.3f}  ", "dim")
    text.append(signs.rail)
    for drawn in lanes:
        text.append(drawn, style)
        text.append(signs.rail)
    if row.line:
        text.append(f"  {harmless(row.line)}")
    if mark:
        text.append(f"  {signs.crossed} {mark}", "red")
    return text


def _label(row: Row) -> str:
    names = [name for flag, name in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST")) if row.flags & flag]
    if row.flags & ACK and row.flags & (SYN | RST):
        names.append("ACK")
    if row.size:
        many = f"{row.packets} x, " if row.packets > 1 else ""
        names.insert(0, f"{many}{row.size} bytes{' again' if row.again else ''}")
    return " ".join(names)


def _marks(rows: Sequence[Row], ladder: Ladder) -> dict[int, str]:
    """What is to be seen of the crossing: an end that does not know of the request, a request behind it."""
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
    """The end acknowledges the request; an RST without ACK says nothing of it."""
    if not end.flags & ACK:
        return True
    return ((end.ack - sent.seq - 1) & 0xFFFFFFFF) < 0x80000000
