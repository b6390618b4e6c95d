"""``--timeline``: the packets of failures, drawn from a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from econnlab.explain.packets.diagnosis import Diagnosis, diagnose
from econnlab.explain.packets.findings import Finding
from econnlab.explain.packets.observing import address_text
from econnlab.explain.summary import Failure, Summary
from econnlab.report.diagnosis import failure
from econnlab.report.ladder import Ladder
from econnlab.report.terminal import failed_line
from econnlab.wire.excerpt import Connection, rows
from econnlab.wire.flows import Traffic, follow
from econnlab.wire.frames import Frame

#: Around a failure: its connection may have stood for hours.
_BEFORE_NS, _AFTER_NS = 3_600_000_000_000, 60_000_000_000
#: Of a run, one failure of each cause is drawn, and no more than this.
MOST_DRAWN = 5

Frames = Callable[[], Iterable[Frame]]


@dataclass(frozen=True)
class _Drawn:
    """A failure, where its packets are to be found, and what is said of it."""

    at: float
    connections: tuple[Connection, ...]
    verdict: Text


def of_capture(frames: Frames, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """A ladder for each of ``findings``; the capture is read once for all of them."""
    drawn = [
        _Drawn(finding.at, _connections(finding), failure(finding, number))
        for number, finding in enumerate(findings, 1)
    ]
    yield from _ladders(frames, drawn)


def of_run(frames: Frames, summary: Summary) -> Iterator[RenderableType]:
    """A ladder for one failure of each cause, with the verdict that the run's ledgers gave."""
    traffic = follow(frames())
    found = diagnose(traffic)
    first: dict[str, Failure] = {}
    for each in summary.failures:
        first.setdefault(each.verdict.cause, each)
    drawn = [
        _Drawn(at, _of_attempt(each, at, found, traffic), failed_line(summary.run.scenario, each))
        for each in list(first.values())[:MOST_DRAWN]
        if (at := _wall_clock(each, summary)) is not None
    ]
    yield from _ladders(frames, drawn, "proxy" if summary.run.scenario.proxy is not None else "link")


def _ladders(frames: Frames, drawn: Sequence[_Drawn], between: str = "proxy") -> Iterator[RenderableType]:
    if not drawn:
        return
    at_ns = [int(each.at * 1e9) for each in drawn]
    wanted = dict.fromkeys(connection for each in drawn for connection in each.connections)
    everything = rows(frames(), wanted, min(at_ns) - _BEFORE_NS, max(at_ns) + _AFTER_NS)
    for each in drawn:
        mine = [row for row in everything if row.connection in each.connections]
        yield Ladder(mine, each.connections, each.verdict, between)
        yield Text()


def _connections(finding: Finding) -> tuple[Connection, ...]:
    return tuple(Connection(*ends) for ends in finding.hops)


def _wall_clock(each: Failure, summary: Summary) -> float | None:
    epoch = summary.run.facts.epoch
    at = each.attempt.sent if each.attempt.sent is not None else each.attempt.began
    return None if epoch is None else epoch + at


def _of_attempt(each: Failure, at: float, found: Diagnosis, traffic: Traffic) -> tuple[Connection, ...]:
    """The connection that the attempt was on, by its client's address; with the hop behind it, if found."""
    local = each.attempt.local
    findings = [finding for finding in found.findings if finding.client == local]
    if findings:
        return _connections(min(findings, key=lambda finding: abs(finding.at - at)))
    for conversation in traffic.conversations.values():
        if address_text(conversation.client.address) == local:
            return (Connection(conversation.client.address, conversation.server.address),)
    return ()
