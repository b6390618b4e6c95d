"""Packets judged as they pass: a connection that has ended is judged once, and released.

The verdicts are those of ``diagnose``: the same cases and causes, over the connections of the last while.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

from econnlab.attribution.packets.advice import advise
from econnlab.attribution.packets.cases import Cases, PacketCase
from econnlab.attribution.packets.diagnosis import (
    REFUSED,
    SCAN,
    Diagnosis,
    finding_of,
    idle_timeout_of,
    spoken_by,
    worst_first,
)
from econnlab.attribution.packets.facts import SAME_OUTAGE_S, SURVIVED_S
from econnlab.attribution.packets.findings import Finding
from econnlab.attribution.packets.network import in_vain
from econnlab.attribution.packets.observing import NS
from econnlab.attribution.packets.servers import Before, Life, life_of, past, was_accepted
from econnlab.attribution.packets.totals import Totals
from econnlab.attribution.verdict import UNKNOWN
from econnlab.packets.bygones import was_refused, went_well
from econnlab.packets.conversation import Bygone, Conversation, Exchange
from econnlab.packets.flows import Flows, Traffic
from econnlab.packets.frames import Frame, raw_of

#: After the end of a connection late packets still come, and the next hop behind a proxy ends.
GRACE_NS = 2 * NS
#: A connection of which one side has ended, or that was never answered, is over after such a silence: Linux
#: sends a SYN again after 1, 2, 4, 8, 16 and 32 s (tcp_syn_retries).
_QUIET_NS = 35 * NS
#: A verdict may depend on what the server does next: ``refuses_next`` and ``accepts_next`` look so far.
OUTLOOK_NS = int(SAME_OUTAGE_S) * NS
#: A request that is sent again and again without an ACK is lost after so long.
_PATIENCE_NS = 30 * NS
#: TCP sends bytes again at most so far apart (TCP_RTO_MAX is 120 s): what is not ended is kept for longer.
_SENT_AGAIN_NS = 150 * NS
#: Errors of a connection that goes on are kept for so long, for the other side of a proxy.
_ERRORS_KEPT_NS = 30 * NS
#: Connections that went well are released after so long, or when so many more have ended: a FIN that is sent
#: again still finds its connection.
_RELEASED_NS, _LATE = 10 * NS, 1024
#: Failures that are kept for the page; those before them are counted.
_MOST_FINDINGS = 1000
_MOST_REFUSALS = 4096


@dataclass(frozen=True)
class Limits:
    """How much is kept."""

    #: Connections that stand or were just judged: some 5 KB each.
    conversations: int
    #: Connections that are over, which tell how their servers behave: some 500 bytes each.
    lives: int

    @classmethod
    def of_memory(cls, megabytes: int) -> Limits:
        """Two fifths of the memory for connections."""
        return cls(max(200, megabytes * 60), max(1000, megabytes * 100))


class Running:
    """Takes packets, and from time to time judges the connections that have ended.

    Times are those of the packets, ns since the epoch. ``outlook_ns`` is how long a verdict may wait for what
    the server does next.
    """

    def __init__(self, limits: Limits, outlook_ns: int = OUTLOOK_NS) -> None:
        self.traffic = Traffic()
        self._flows = Flows(self.traffic, _LATE)
        self.totals = Totals()
        self.findings: deque[Finding] = deque(maxlen=_MOST_FINDINGS)
        #: Connections that were given up unjudged because more stood than are kept.
        self.given_up = 0
        self._limits = limits
        self._outlook_ns = outlook_ns
        self._bygones: deque[Bygone] = deque(maxlen=limits.lives)
        self._lives: deque[tuple[bytes, Life]] = deque(maxlen=limits.lives // 5)
        self._refusals: deque[tuple[int, bytes, bytes]] = deque(maxlen=_MOST_REFUSALS)
        #: Requests whose failure was told, by the number of their connection; 0 stands for none.
        self._told: dict[int, set[int]] = {}
        #: Connections that are over and whose failures all were told.
        self._done: set[int] = set()
        #: Refusals that were told as failures, until the tracker releases them.
        self._told_refusals: set[tuple[int, bytes, bytes]] = set()

    def add(self, frames: list[Frame]) -> None:
        """Take in packets, in order of time."""
        self._flows.add([raw_of(frame) for frame in frames])
        if len(self.traffic.conversations) > self._limits.conversations:
            self._give_up()

    def judge(self, now_ns: int) -> list[Finding]:
        """The failures that can be told now, and were not told before."""
        due = any(self._is_due(each, now_ns) for each in self.traffic.conversations.values())
        found = self._judged(now_ns) if due else []
        self._flows.tracker.release(now_ns - _RELEASED_NS)
        self._gather()
        self._expire(now_ns)
        return found

    def finish(self, now_ns: int) -> list[Finding]:
        """No more packets will come: judge whatever stands."""
        self._flows.finish()
        self._gather()
        return self._judged(now_ns, finished=True)

    def reports_now(self) -> Diagnosis:
        """All that has passed, as a diagnosis."""
        traffic = self.traffic
        standing = [each for each in traffic.conversations.values() if was_accepted(each)]
        lives = [(each.server.address, life_of(each)) for each in standing]
        reports = self.totals.reports(lives)
        protocols, unjudged = self.totals.protocols.copy(), self.totals.unjudged.copy()
        protocols.update(spoken_by(life) for _, life in lives)
        unjudged.update(life.unjudged for _, life in lives if life.unjudged is not None)
        return Diagnosis(
            traffic.frames,
            traffic.others,
            traffic.shortened,
            traffic.began / NS,
            traffic.ended / NS,
            sum(report.connections for report in reports),
            tuple(report for report in reports if report.connections or report.causes),
            tuple(worst_first(list(self.findings))),
            tuple(advise(reports, self.findings)),
            protocols,
            unjudged,
            traffic.unread.copy(),
            traffic.gaps,
            traffic.doubled,
        )

    # -- judging ------------------------------------------------------------------------------------

    def _is_due(self, conversation: Conversation, now_ns: int) -> bool:
        """Something of it may be told."""
        if conversation.number in self._done:
            return False
        over = over_at(conversation, now_ns)
        if over is not None:
            return now_ns - over >= GRACE_NS and not (conversation.ended and went_well(conversation))
        exchange = conversation.errors[-1] if conversation.errors else _waits_in_vain(conversation, now_ns)
        return exchange is not None and exchange.number not in self._told.get(conversation.number, ())

    def _judged(self, now_ns: int, *, finished: bool = False) -> list[Finding]:
        cases = Cases(self._window(now_ns), before=Before(self._lives, self.totals.survived_s))
        found: list[Finding] = []
        waiting: set[int] = set()
        for case in cases.all():
            told = self._told.setdefault(case.conversation.number, set())
            number = case.exchange.number if case.exchange is not None else 0
            if number in told:
                continue
            finding = finding_of(case)
            if finished or self._is_settled(case, finding, cases, now_ns):
                told.add(number)
                self._tell(case, finding)
                found.append(finding)
            else:
                waiting.add(case.conversation.number)
        for conversation, exchange in cases.passed():
            self._told.setdefault(conversation.number, set()).add(exchange.number)
        self._note_timeouts(cases)
        self._done = {
            each.number
            for each in self.traffic.conversations.values()
            if each.number not in waiting
            and (over := over_at(each, now_ns)) is not None
            and now_ns - over >= GRACE_NS
        }
        return found

    def _tell(self, case: PacketCase, finding: Finding) -> None:
        self.findings.append(finding)
        self.totals.found(finding)
        if was_refused(case.conversation):
            self._told_refusals.add(_refusal(case.conversation))

    def _is_settled(self, case: PacketCase, finding: Finding, cases: Cases, now_ns: int) -> bool:
        """What comes later will not change the verdict."""
        over = over_at(case.conversation, now_ns)
        if over is None:
            return _is_told_early(case, now_ns)
        if now_ns - over < GRACE_NS:
            return False
        if now_ns - over >= self._outlook_ns or was_refused(case.conversation):
            return True
        facts = case.case.packets
        if facts is None or finding.verdict.cause == UNKNOWN:
            return False
        if facts.ended is None or facts.refused_next or facts.accepted_next:
            return True
        server = cases.server(case.decided_on or case.conversation)
        return not facts.retired and server.standing(facts.ended + SURVIVED_S) > 0

    def _window(self, now_ns: int) -> Traffic:
        """The connections that are kept, as a capture that ends now."""
        traffic = self.traffic
        return Traffic(
            traffic.conversations,
            list(self._bygones),
            list(self._refusals),
            gaps=traffic.gaps,
            began=traffic.began,
            ended=max(now_ns, traffic.ended),
        )

    def _note_timeouts(self, cases: Cases) -> None:
        for server in cases.servers.values():
            timeout = idle_timeout_of(server, server.lives)
            if timeout is not None:
                self.totals.closes_idle(server.address, timeout)

    # -- releasing ----------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Take over what the tracker has released."""
        for bygone in self.traffic.bygones:
            life = past(bygone)
            self.totals.released(bygone.server, life, spoken_by(life))
        self._bygones.extend(self.traffic.bygones)
        self.traffic.bygones.clear()
        if self.traffic.refusals:
            self._count_refusals(self.traffic.refusals)
            self.traffic.refusals.clear()

    def _count_refusals(self, refusals: list[tuple[int, bytes, bytes]]) -> None:
        """Refusals that were released before they were judged."""
        self._refusals.extend(refusals)
        cases = Cases(Traffic(refusals=list(self._refusals)))
        for refusal in refusals:
            if refusal in self._told_refusals:
                self._told_refusals.discard(refusal)
                continue
            _, client, server = refusal
            scans = cases.scans(client, server)
            self.totals.refused(server, SCAN if scans else REFUSED, lost=not scans)

    def _expire(self, now_ns: int) -> None:
        """Release connections that were judged so long ago that no verdict looks back at them."""
        for conversation in [*self.traffic.conversations.values()]:
            over = over_at(conversation, now_ns)
            again = conversation.client.resent or conversation.server.resent or not conversation.ended
            kept_ns = _SENT_AGAIN_NS if again else self._outlook_ns + GRACE_NS
            if over is not None and now_ns - over > kept_ns:
                self._release(conversation)
            elif over is None and conversation.errors:
                self._drop_old_errors(conversation, now_ns)
        if len(self._told) > 2 * self._limits.conversations:
            self._told = {key: each for key, each in self._told.items() if key in self.traffic.conversations}

    def _drop_old_errors(self, conversation: Conversation, now_ns: int) -> None:
        """A connection that goes on keeps no more of its errors than others may still be compared with."""
        told = self._told.get(conversation.number, set())
        while conversation.errors and now_ns - conversation.errors[0].request_at > _ERRORS_KEPT_NS:
            told.discard(conversation.errors.pop(0).number)

    def _release(self, conversation: Conversation) -> None:
        server = conversation.server.address
        if was_refused(conversation):
            self._refusals.append(_refusal(conversation))
            self._told_refusals.discard(_refusal(conversation))
        elif was_accepted(conversation):
            life = life_of(conversation)
            self._lives.append((server, life))
            self.totals.released(server, life, spoken_by(life))
        self._flows.tracker.forget(conversation)
        self._told.pop(conversation.number, None)
        self._done.discard(conversation.number)

    def _give_up(self) -> None:
        """Make room: those that were judged go first, then those that have been silent longest."""
        everything = self.traffic.conversations.values()
        count = len(everything) - self._limits.conversations * 7 // 8
        chosen = heapq.nsmallest(
            count, everything, key=lambda each: (each.number not in self._done, each.last)
        )
        for conversation in chosen:
            self.given_up += conversation.number not in self._done
            self._release(conversation)


def _refusal(conversation: Conversation) -> tuple[int, bytes, bytes]:
    return conversation.began, conversation.client.address, conversation.server.address


def over_at(conversation: Conversation, now_ns: int) -> int | None:
    """When it was over; None if it goes on."""
    if conversation.ended:
        return conversation.ended
    unanswered = bool(conversation.syns) and not conversation.synack_at and not conversation.server.packets
    if not unanswered and conversation.first_end is None:
        return None
    over = conversation.last + _QUIET_NS
    return over if over <= now_ns else None


def _waits_in_vain(conversation: Conversation, now_ns: int) -> Exchange | None:
    """The request at hand, if it was sent again and again, and long enough."""
    if not conversation.open or now_ns - conversation.open[0].request_at < _PATIENCE_NS:
        return None
    return conversation.open[0] if in_vain(conversation) else None


def _is_told_early(case: PacketCase, now_ns: int) -> bool:
    """The connection goes on, and the request will not be answered any more."""
    conversation, exchange = case.conversation, case.exchange
    if exchange is None:
        return False
    if exchange in conversation.errors:
        return now_ns - exchange.request_last_at >= GRACE_NS
    return exchange is _waits_in_vain(conversation, now_ns)
