"""What to change, and to what: from the causes that were found and the times that were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.discovery import parts

if TYPE_CHECKING:
    from econnlab.attribution.packets.findings import Finding, ServerReport

#: A client should close an idle connection this share of the server's timeout earlier, at most a second.
_MARGIN, _WIDEST_MARGIN_S = 0.2, 1.0
#: Fewer failures of a kind are no reason to change anything.
FEWEST_FAILURES = 3
#: A shorter timeout is seldom a setting: what was seen may have another reason.
_SHORTEST_TIMEOUT_S = 1.0
#: So many packets are named as what advice rests on.
_MOST_NAMED = 5


@dataclass(frozen=True)
class Packet:
    """A packet that advice rests on."""

    #: ``FIN``, ``RST``; ``request`` if the connection was not ended.
    packet: str
    #: Seconds since the epoch.
    at: float
    #: The client's end of its connection, ``10.0.0.1:40000``.
    client: str


@dataclass(frozen=True)
class Advice:
    """What to do about one cause at one server."""

    server: str
    cause: str
    failures: int
    text: str
    rests_on: tuple[Packet, ...] = ()


def advise(servers: Iterable[ServerReport], findings: Sequence[Finding]) -> list[Advice]:
    """For each server and cause, the most frequent first; each rule of causes/ may hold an ADVICE."""
    rules = parts("econnlab.attribution.causes")
    by_cause: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_cause[finding.culprit, finding.verdict.cause].append(finding)
    advice = []
    for server in servers:
        for cause, count in server.causes.most_common():
            text = getattr(rules.get(cause), "ADVICE", "")
            if not text or count < FEWEST_FAILURES:
                continue
            those = by_cause[server.address, cause]
            figures = _figures(_timeout(server, those))
            rests_on = tuple(map(_packet, those[:_MOST_NAMED]))
            advice.append(Advice(server.address, cause, count, text.format(**figures), rests_on))
    return sorted(advice, key=lambda each: -each.failures)


def _packet(finding: Finding) -> Packet:
    if finding.ended is None:
        return Packet("request", finding.at, finding.client)
    return Packet(finding.ended.packet, finding.ended.at, finding.client)


def _timeout(server: ServerReport, those: Iterable[Finding]) -> float | None:
    """After how long connections were ended idle; None if the times are too short or too far apart to say."""
    seen = server.idle_timeout
    if seen is not None:
        fits = seen.constant and seen.median_s >= _SHORTEST_TIMEOUT_S
        return seen.median_s if fits else None
    idle = [finding.attempt.idle_s for finding in those if finding.attempt.idle_s is not None]
    shortest = min(idle, default=0.0)
    return shortest if shortest >= _SHORTEST_TIMEOUT_S else None


def _figures(timeout: float | None) -> dict[str, str]:
    if timeout is None:
        return {"timeout": "some idle time", "limit": "less than that"}
    margin = min(_WIDEST_MARGIN_S, _MARGIN * timeout)
    return {"timeout": f"{timeout:.3g} s", "limit": f"at most {timeout - margin:.3g} s"}
