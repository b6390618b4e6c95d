"""``--timeline``: failures of a run, drawn from its packets."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from econnlab.attribution.explanations import Failure
from econnlab.attribution.packets.diagnosis import Diagnosis, diagnose
from econnlab.attribution.packets.observing import address_text
from econnlab.attribution.summary import Summary
from econnlab.cli.ladders import Drawn, Frames, connections_of, ladders
from econnlab.commands.experiments.report.terminal import failed_line
from econnlab.packets.excerpt import Connection
from econnlab.packets.flows import Traffic, follow

#: One failure of each cause is drawn, and at most so many.
MOST_DRAWN = 5


def of_run(frames: Frames, summary: Summary) -> Iterator[RenderableType]:
    """A ladder for one failure of each cause, with the verdict of the run."""
    traffic = follow(frames())
    found = diagnose(traffic)
    first: dict[str, Failure] = {}
    for each in summary.failures:
        first.setdefault(each.verdict.cause, each)
    drawn = [
        Drawn(at, _of_attempt(each, at, found, traffic), failed_line(summary.run.scenario, each))
        for each in list(first.values())[:MOST_DRAWN]
        if (at := _wall_clock(each, summary)) is not None
    ]
    yield from ladders(frames, drawn, "proxy" if summary.run.scenario.proxy is not None else "link")


def _wall_clock(each: Failure, summary: Summary) -> float | None:
    epoch = summary.run.facts.epoch
    at = each.attempt.sent if each.attempt.sent is not None else each.attempt.began
    return None if epoch is None else epoch + at


def _of_attempt(each: Failure, at: float, found: Diagnosis, traffic: Traffic) -> tuple[Connection, ...]:
    """The connection of the attempt, found by the client's address, with the hop behind a proxy."""
    local = each.attempt.local
    findings = [finding for finding in found.findings if finding.client == local]
    if findings:
        return connections_of(min(findings, key=lambda finding: abs(finding.at - at)))
    for conversation in traffic.conversations.values():
        if address_text(conversation.client.address) == local:
            return (Connection(conversation.client.address, conversation.server.address),)
    return ()
