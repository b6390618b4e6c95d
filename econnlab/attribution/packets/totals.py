"""Counts of all that has passed, by server: what is left of connections that were released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import copy

from econnlab.attribution.packets.findings import Finding, IdleTimeout, ServerReport
from econnlab.attribution.packets.observing import address_text
from econnlab.attribution.packets.servers import Life
from econnlab.packets.conversation import Unjudged

#: Servers that are counted apart; a port scan makes thousands.
_MOST_SERVERS = 2000
_OTHERS = "others"


class Totals:
    """Counts that only grow, but for those of connections that stand."""

    def __init__(self) -> None:
        self.protocols: Counter[str] = Counter()
        self.unjudged: Counter[Unjudged] = Counter()
        #: The longest that each server let a connection be idle, s.
        self.survived_s: dict[bytes, float] = {}
        self._servers: dict[str, ServerReport] = {}

    def released(self, server: bytes, life: Life, spoken: str) -> None:
        """A connection of which nothing else is kept."""
        _add(self._server(address_text(server)), life)
        if life.is_read and life.longest_idle_s > self.survived_s.get(server, 0.0):
            self.survived_s[server] = life.longest_idle_s
        self.protocols[spoken] += 1
        if life.unjudged is not None:
            self.unjudged[life.unjudged] += 1

    def found(self, finding: Finding) -> None:
        """A failure; it is counted with the server that decided it."""
        report = self._server(finding.culprit)
        report.causes[finding.verdict.cause] += 1
        report.lost += finding.lost
        report.unasked += finding.lost and finding.attempt.sent is None

    def refused(self, server: bytes, cause: str, *, lost: bool) -> None:
        """A SYN that an RST answered."""
        report = self._server(address_text(server))
        report.causes[cause] += 1
        report.lost += lost
        report.unasked += lost

    def closes_idle(self, server: bytes, timeout: IdleTimeout) -> None:
        """After how long the server was last seen to close idle connections."""
        self._server(address_text(server)).idle_timeout = timeout

    def lost(self) -> int:
        """Requests that were lost."""
        return sum(report.lost for report in self._servers.values())

    def reports(self, standing: Iterable[tuple[bytes, Life]]) -> list[ServerReport]:
        """Each server, with the connections that stand now; those that lost most first."""
        now = {address: _copied(report) for address, report in self._servers.items()}
        for server, life in standing:
            text = address_text(server)
            if text not in now and len(now) >= _MOST_SERVERS:
                text = _OTHERS
            _add(now.setdefault(text, ServerReport(text)), life)
        return sorted(
            now.values(),
            key=lambda each: (-each.lost, -each.causes.total(), -each.requests, each.address),
        )

    def _server(self, address: str) -> ServerReport:
        if address not in self._servers and len(self._servers) >= _MOST_SERVERS:
            address = _OTHERS
        return self._servers.setdefault(address, ServerReport(address))


def _add(report: ServerReport, life: Life) -> None:
    report.connections += 1
    report.requests += life.asked
    report.resets += life.reset
    if life.is_read and life.longest_idle_s > report.survived_s:
        report.survived_s = life.longest_idle_s


def _copied(report: ServerReport) -> ServerReport:
    made = copy(report)
    made.causes = Counter(report.causes)
    return made
