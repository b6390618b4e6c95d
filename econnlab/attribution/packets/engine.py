"""Judging while packets come: what ``watch`` needs, in memory that the connections at hand bound.

``diagnose`` sees the whole capture before it judges. Here a connection is judged some seconds after it ended,
with what is known of its server's other connections by then, and is then forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from econnlab.attribution.packets.cases import Cases
from econnlab.attribution.packets.diagnosis import finding_of
from econnlab.attribution.packets.findings import Finding
from econnlab.attribution.packets.network import in_vain
from econnlab.attribution.packets.observing import NS, address_text
from econnlab.attribution.packets.servers import Life, life_of, past
from econnlab.attribution.packets.wanted import EVERYTHING, Wanted
from econnlab.packets.conversation import Conversation
from econnlab.packets.flows import Flows, Traffic
from econnlab.packets.frames import Raw

#: How long after its end a connection is judged, s: what its server did to others shows by then.
GRACE_S = 3.0
#: How long, s, connections that are over bear on the judgement of others, and how many of a server.
MEMORY_S, MOST_LIVES = 120.0, 2_000
#: A client that has ended its direction may wait this long for its answer, s.
HALF_CLOSED_S = 60
#: Connections that are kept at most; the one that was silent longest is forgotten for another.
MOST_CONNECTIONS = 100_000


@dataclass
class Totals:
    """What was seen of one server."""

    connections: int = 0
    requests: int = 0
    lost: int = 0
    resets: int = 0
    causes: Counter[str] = field(default_factory=Counter)


class Engine:
    """Takes packets, and gives the failures that are final. Not for several threads."""

    def __init__(self, wanted: Wanted = EVERYTHING, grace_s: float = GRACE_S) -> None:
        #: By the server's address, ``10.0.0.7:8080``.
        self.servers: dict[str, Totals] = defaultdict(Totals)
        #: Connections that were forgotten unjudged, as too many stood.
        self.forgotten = 0
        self._wanted = wanted
        self._grace_ns = int(grace_s * NS)
        self._flows = Flows()
        self._lives: dict[bytes, deque[Life]] = defaultdict(lambda: deque(maxlen=MOST_LIVES))
        #: Failures told of connections that stand: the connection's number and the request's.
        self._told: set[tuple[int, int]] = set()

    @property
    def traffic(self) -> Traffic:
        """The connections at hand, and what was counted."""
        return self._flows.traffic

    def add(self, packets: list[Raw]) -> None:
        """Take in packets, in order of time."""
        self._flows.add(packets)

    def judge(self, now_ns: int) -> list[Finding]:
        """The failures that became final since the last call; ``now_ns`` is the packets' time."""
        self._flows.tracker.let_go_before(now_ns - self._grace_ns)
        standing = self.traffic.conversations.values()
        over = [each for each in standing if self._is_over(each, now_ns)]
        stuck = [each for each in standing if not each.ended and in_vain(each)]
        return self._judge(over, stuck, now_ns)

    def finish(self) -> list[Finding]:
        """No more packets will come: the failures of all that is left."""
        self._flows.finish()
        end = self.traffic.ended
        self._flows.tracker.let_go_before(end + 1)
        return self._judge(list(self.traffic.conversations.values()), [], end)

    def _is_over(self, conversation: Conversation, now_ns: int) -> bool:
        """It ended, and the grace is over; one that its server alone ended is not waited for either."""
        if conversation.ended:
            return conversation.ended < now_ns - self._grace_ns
        first = conversation.first_end
        if first is None:
            return False
        grace = self._grace_ns if first[0] is conversation.server else HALF_CLOSED_S * NS
        return conversation.last < now_ns - grace

    def _judge(self, over: list[Conversation], stuck: list[Conversation], now_ns: int) -> list[Finding]:
        findings: list[Finding] = []
        if over or stuck or self.traffic.refusals:
            numbers = {each.number for each in (*over, *stuck)}
            lives = [(address, life) for address, these in self._lives.items() for life in these]
            cases = Cases(self.traffic, before=lives, only=numbers)
            found = [(case, finding_of(case)) for case in cases.all() if self._wanted.case(case)]
            findings = [finding for case, finding in found if self._is_new(case.conversation, finding)]
            self._count_refusals(cases)
        for finding in findings:
            totals = self.servers[finding.culprit]
            totals.causes[finding.verdict.cause] += 1
            totals.lost += finding.lost
        self._forget(over, now_ns)
        return findings

    def _is_new(self, conversation: Conversation, finding: Finding) -> bool:
        key = conversation.number, finding.attempt.request
        if key in self._told:
            return False
        if not conversation.ended:
            self._told.add(key)
        return True

    def _count_refusals(self, cases: Cases) -> None:
        for at, client, server in self.traffic.refusals:
            if self._wanted.refusal(at, client, server):
                scan = cases.scans(client, server)
                totals = self.servers[address_text(server)]
                totals.causes["port_scan" if scan else "not_listening"] += 1
                totals.lost += not scan

    def _forget(self, over: list[Conversation], now_ns: int) -> None:
        """Keep of what is judged no more than bears on others."""
        traffic = self.traffic
        for bygone in traffic.bygones:
            self._remember(bygone.server, past(bygone))
        for conversation in over:
            self._remember(conversation.server.address, life_of(conversation))
            self._told -= {key for key in self._told if key[0] == conversation.number}
            self._flows.tracker.forget(conversation)
        traffic.bygones.clear()
        traffic.refusals.clear()
        oldest = now_ns / NS - MEMORY_S
        for address in list(self._lives):
            lives = self._lives[address]
            while lives and lives[0].ended < oldest:
                lives.popleft()
            if not lives:
                del self._lives[address]
        self._make_room()

    def _remember(self, server: bytes, life: Life) -> None:
        if not self._wanted.life(life, server):
            return
        self._lives[server].append(life)
        totals = self.servers[address_text(server)]
        totals.connections += 1
        totals.requests += life.asked
        totals.resets += life.reset

    def _make_room(self) -> None:
        conversations = self.traffic.conversations
        surplus = len(conversations) - MOST_CONNECTIONS
        if surplus > 0:
            silent = sorted(conversations.values(), key=lambda each: each.last)[:surplus]
            for conversation in silent:
                self._flows.tracker.forget(conversation)
            self.forgotten += surplus
