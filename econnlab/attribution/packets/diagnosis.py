"""What a capture comes to: each server with its idle timeout and losses, and every failure with its cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from econnlab.attribution.attribution import attribute
from econnlab.attribution.packets.advice import Advice, advise
from econnlab.attribution.packets.cases import Cases, PacketCase
from econnlab.attribution.packets.facts import AT_ONCE_S
from econnlab.attribution.packets.findings import Ended, Finding, IdleTimeout, ServerReport
from econnlab.attribution.packets.observing import NS, address_text
from econnlab.attribution.packets.servers import Life, Server
from econnlab.attribution.packets.wanted import EVERYTHING, Wanted
from econnlab.attribution.statistics import quantile
from econnlab.packets.conversation import Conversation, Protocol, Unjudged
from econnlab.packets.flows import Traffic
from econnlab.packets.messages import first_line
from econnlab.record.events import Party

#: Causes under which the server may have carried out what it did not answer.
PERHAPS_DONE = frozenset({"reset_after_processing", "response_cut", "crash", "restart", "slow_response"})
#: Of a connection on which no byte was seen.
NOTHING_SAID = "nothing said"
SCAN, REFUSED = "port_scan", "not_listening"


@dataclass(frozen=True)
class Diagnosis:
    """What the packets say."""

    frames: int
    others: int
    shortened: int
    #: Seconds since the epoch.
    began: float
    ended: float
    connections: int
    #: Those that lost most first.
    servers: tuple[ServerReport, ...]
    #: The worst first.
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]
    #: Connections by what they spoke, as far as it is known.
    protocols: Counter[str]
    #: Connections nothing is said of, by the reason.
    unjudged: Counter[Unjudged]
    #: Frames that are not read, by what they are.
    unread: Counter[str]
    #: Times that bytes were missing in the capture; packets that were seen twice.
    gaps: int
    doubled: int

    @property
    def tls(self) -> int:
        """Connections that spoke TLS: only their records, alerts and TCP tell."""
        return self.protocols[Protocol.TLS]

    @property
    def one_way(self) -> int:
        """Connections of which only one direction was captured."""
        return self.unjudged[Unjudged.ONE_WAY]

    @property
    def causes(self) -> Counter[str]:
        """Failures by cause."""
        return sum((server.causes for server in self.servers), Counter())


def diagnose(
    traffic: Traffic, wanted: Wanted = EVERYTHING, stopped: Callable[[], bool] = lambda: False
) -> Diagnosis:
    """Look at the connections of ``traffic`` that are ``wanted``, until ``stopped`` says so."""
    cases = Cases(traffic, stopped=stopped)
    findings = [finding_of(case) for case in cases.all(stopped) if wanted.case(case)]
    servers = _servers(cases, findings, wanted)
    _count_refusals(servers, traffic, cases, wanted)
    reports = sorted(
        servers.values(),
        key=lambda each: (-each.lost, -each.causes.total(), -each.requests, each.address),
    )
    lives = [
        life
        for server in cases.servers.values()
        for life in server.lives
        if wanted.life(life, server.address)
    ]
    return Diagnosis(
        traffic.frames,
        traffic.others,
        traffic.shortened,
        traffic.began / NS,
        traffic.ended / NS,
        sum(report.connections for report in reports),
        tuple(report for report in reports if report.connections or report.causes),
        tuple(worst_first(findings)),
        tuple(advise(reports, findings)),
        Counter(spoken_by(life) for life in lives),
        Counter(life.unjudged for life in lives if life.unjudged is not None),
        Counter(traffic.unread),
        traffic.gaps,
        traffic.doubled,
    )


def spoken_by(life: Life) -> str:
    """What it spoke."""
    return (life.name if life.protocol is Protocol.OTHER else life.protocol.value) or NOTHING_SAID


def finding_of(case: PacketCase) -> Finding:
    """``case`` with its cause."""
    conversation, exchange = case.conversation, case.exchange
    behind = case.decided_on
    attempt = case.attempt
    return Finding(
        conversation.number,
        attempt.sent if attempt.sent is not None else conversation.began / NS,
        address_text(conversation.client.address),
        address_text(conversation.server.address),
        first_line(exchange.request)
        if exchange is not None and conversation.protocol is Protocol.HTTP
        else "",
        attempt,
        attribute(case.case),
        _ended(behind if behind is not None else conversation),
        None
        if behind is None
        else (address_text(behind.client.address), address_text(behind.server.address)),
        conversation.protocol is Protocol.TLS,
        tuple(
            (each.client.address, each.server.address) for each in (conversation, behind) if each is not None
        ),
    )


def _ended(conversation: Conversation) -> Ended | None:
    first = conversation.first_end
    if first is None:
        return None
    side, mark = first
    by = Party.SERVER if side is conversation.server else Party.CLIENT
    return Ended(by, "FIN" if mark.is_fin else "RST", mark.at / NS)


def _servers(cases: Cases, findings: Iterable[Finding], wanted: Wanted) -> dict[str, ServerReport]:
    reports = {address_text(server.address): _report(server, wanted) for server in cases.servers.values()}
    for finding in findings:
        # Counted where it was decided, not at the proxy in front as well.
        culprit = finding.culprit
        report = reports.setdefault(culprit, ServerReport(culprit))
        report.causes[finding.verdict.cause] += 1
        report.lost += finding.lost
        report.unasked += finding.lost and finding.attempt.sent is None
    return reports


def _report(server: Server, wanted: Wanted) -> ServerReport:
    lives = [life for life in server.lives if wanted.life(life, server.address)]
    return ServerReport(
        address_text(server.address),
        len(lives),
        sum(life.asked for life in lives),
        resets=sum(life.reset for life in lives),
        idle_timeout=idle_timeout_of(server, lives),
        survived_s=max((life.longest_idle_s for life in lives if life.is_read), default=0.0),
    )


def idle_timeout_of(server: Server, lives: list[Life]) -> IdleTimeout | None:
    """From connections that the server ended idle by themselves: not with others, and not at once."""
    idle = sorted(
        life.idle_s
        for life in lives
        if life.is_read
        and life.by_server
        and life.fin
        and not life.announced
        and life.responses
        and life.idle_s > AT_ONCE_S
        and not server.retired_at(life.ended)
    )
    if not idle:
        return None
    return IdleTimeout(len(idle), quantile(idle, 0.5), quantile(idle, 0.05), quantile(idle, 0.95))


def _count_refusals(servers: dict[str, ServerReport], traffic: Traffic, cases: Cases, wanted: Wanted) -> None:
    """Those of which no more was kept than that they were refused."""
    counted: dict[tuple[bytes, str], int] = defaultdict(int)
    for at, client, server in traffic.refusals:
        if wanted.refusal(at, client, server):
            counted[server, SCAN if cases.scans(client, server) else REFUSED] += 1
    for (server, cause), times in counted.items():
        report = servers.setdefault(address_text(server), ServerReport(address_text(server)))
        report.causes[cause] += times
        report.lost += times if cause == REFUSED else 0
        report.unasked += times if cause == REFUSED else 0


def worst_first(findings: list[Finding]) -> list[Finding]:
    """What may have been carried out, then what was lost, then the rest; the first of every cause before."""
    seen: Counter[str] = Counter()
    ranked = []
    for finding in findings:
        cause = finding.verdict.cause
        rank = 2 if not finding.lost else 0 if cause in PERHAPS_DONE else 1
        ranked.append((seen[cause] > 0, rank, finding.at, finding))
        seen[cause] += 1
    ranked.sort(key=lambda each: (each[1] == 2, each[0], each[1], each[2]))
    return [each[3] for each in ranked]
