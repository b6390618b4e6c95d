"""From connections to failed attempts with their facts: what attribution asks about.

An attempt here is what the client must have seen, by its packets; where a proxy stood between and both of its
sides were captured, the facts are those of the side on which the server ended it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from econnlab.attribution.evidence import Case, Surroundings
from econnlab.attribution.packets.facts import SCAN_PORTS, End, PacketFacts
from econnlab.attribution.packets.failing import failures
from econnlab.attribution.packets.hops import Hop, Hops
from econnlab.attribution.packets.observing import NS, Beside, address_text, facts_of, lost_hop
from econnlab.attribution.packets.servers import Before, Seen, Server, refused_ports, servers_of
from econnlab.packets.conversation import Conversation, Exchange, Protocol
from econnlab.packets.flows import Traffic
from econnlab.packets.messages import first_line
from econnlab.record.attempts import Attempt, Outcome

#: What a proxy may be late by.
_LATENESS_NS = 5_000_000


@dataclass(frozen=True)
class PacketCase:
    """A connection on which something went wrong, as attribution takes it."""

    conversation: Conversation
    #: The request that failed; None where none was sent.
    exchange: Exchange | None
    #: What its client must have seen.
    attempt: Attempt
    #: What attribution was asked: where a proxy stood between, of the hop behind it.
    case: Case
    #: The connection behind a proxy on which it was decided.
    decided_on: Conversation | None


class Cases:
    """Looks at the connections of ``traffic``, each with its server's others and with the hop behind it."""

    def __init__(
        self,
        traffic: Traffic,
        system: str = "Linux",
        before: Before | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """What is not looked at when ``stopped`` says so is left out."""
        seen = Seen(traffic.conversations.values(), traffic.bygones, traffic.refusals, before)
        self.servers: dict[bytes, Server] = servers_of(seen)
        self._scanned = refused_ports(seen)
        self._around = Surroundings(system, (), 0)
        complete = not traffic.gaps
        self._failed = [
            (conversation, exchange, outcome)
            for conversation in traffic.conversations.values()
            if not stopped()
            for exchange, outcome in failures(conversation, traffic.ended, complete)
        ]
        self._hops = Hops(
            traffic, [(front, asked) for front, asked, _ in self._failed if asked is not None], stopped
        )

    def all(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[PacketCase]:
        """In the order in which the connections began; a request that a proxy passed on comes once."""
        for conversation, exchange, outcome in self._failed:
            if stopped():
                return
            if exchange is None or not self._hops.is_passed(exchange):
                hop = self._hops.of(exchange) if exchange is not None else None
                yield self._case(conversation, exchange, outcome, hop)

    def passed(self) -> Iterator[tuple[Conversation, Exchange]]:
        """Failed requests that are not told by themselves, but where their client met them."""
        for conversation, exchange, _ in self._failed:
            if exchange is not None and self._hops.is_passed(exchange):
                yield conversation, exchange

    def scans(self, client: bytes, server: bytes) -> bool:
        """The client's host was refused at so many of the server's ports that it looks for open ones."""
        return self._scanned[client[:-2], server[:-2]] >= SCAN_PORTS

    def _case(
        self,
        conversation: Conversation,
        exchange: Exchange | None,
        outcome: Outcome,
        hop: Hop | None,
    ) -> PacketCase:
        scanned = self._scanned[conversation.client.address[:-2], conversation.server.address[:-2]]
        decided = conversation
        if hop is None:
            facts = facts_of(conversation, exchange, Beside(self.server(conversation), scanned))
        elif hop.exchange is not None and hop.conversation is not None:
            decided = hop.conversation
            through = address_text(conversation.server.address)
            beside = Beside(self.server(decided), scanned, through, exchange, conversation)
            facts = facts_of(decided, hop.exchange, beside)
        else:
            left = _left_before(hop.conversation, conversation, exchange)
            decided = hop.conversation if left and hop.conversation is not None else conversation
            facts = self._never_passed_on(conversation, exchange, hop, scanned)
        attempt = asked = _attempt(conversation, exchange, outcome, facts)
        answer = None
        if decided is not conversation:
            assert hop is not None
            attempt = _on_hop(asked, decided, hop.exchange, facts)
            answer = f"answered {asked.status}" if asked.status else None
        case = Case(attempt, None, None, self._around, answer, facts)
        return PacketCase(
            conversation, exchange, asked, case, decided if decided is not conversation else None
        )

    def _never_passed_on(
        self, conversation: Conversation, exchange: Exchange | None, hop: Hop, scanned: int
    ) -> PacketFacts:
        """The proxy took it and sent nothing on: because its server had gone, or because it had forgotten."""
        assert exchange is not None
        behind = hop.conversation
        if behind is not None and _left_before(behind, conversation, exchange):
            return lost_hop(conversation, exchange, behind, self.server(behind))
        kept_by = address_text(conversation.server.address)
        return facts_of(conversation, exchange, Beside(self.server(conversation), scanned, kept_by=kept_by))

    def server(self, conversation: Conversation) -> Server:
        """The server of ``conversation`` with its other connections."""
        return self.servers.get(conversation.server.address) or Server(conversation.server.address, [], [])


def _left_before(behind: Conversation | None, front: Conversation, exchange: Exchange | None) -> bool:
    """The server behind a proxy had ended the connection before the request can have come there.

    How long the proxy takes is seen in the handshakes: it connects when it has been connected to.
    """
    first = behind.first_end if behind is not None else None
    if behind is None or exchange is None or first is None or first[0] is not behind.server:
        return False
    transit = 2 * (behind.began - front.began) + _LATENESS_NS
    told = front.server.ended
    passed_on = told is None or first[1].at <= told.at  # what came after cannot be why
    return passed_on and first[1].at < exchange.request_at + transit


def _on_hop(asked: Attempt, behind: Conversation, exchange: Exchange | None, facts: PacketFacts) -> Attempt:
    """The proxy's own attempt at the request, on the connection that reached the server."""
    response_at = exchange.response_at if exchange is not None else 0
    if response_at:
        outcome = asked.outcome
    elif facts.end is None:
        outcome = Outcome.TIMEOUT
    else:
        outcome = Outcome.CLOSED if facts.end is End.FIN else Outcome.RESET
    sent = facts.sent or asked.sent
    return replace(
        asked,
        began=sent or asked.began,
        sent=sent,
        first_byte=response_at / NS if response_at else None,
        ended=(behind.ended or behind.last) / NS,
        reused=facts.responses > 0 or not behind.from_beginning,
        idle_s=max(0.0, sent - facts.last_heard) if sent and facts.responses else None,
        outcome=outcome,
        status=asked.status if response_at else None,
    )


def _attempt(
    conversation: Conversation, exchange: Exchange | None, outcome: Outcome, facts: PacketFacts
) -> Attempt:
    request = exchange.request if exchange is not None else b""
    before = exchange.before if exchange is not None else 0
    sent = exchange.request_at / NS if exchange is not None else None
    status = exchange.status or None if exchange is not None else None
    if (
        status is None
        and conversation.unasked.startswith(b"HTTP/1.")
        and conversation.unasked[9:12].isdigit()
    ):
        status = int(conversation.unasked[9:12])
    return Attempt(
        row=0,
        session=conversation.number,
        request=exchange.number if exchange is not None else 0,
        number=1,
        request_id="",
        method=first_line(request).partition(" ")[0] if conversation.protocol is Protocol.HTTP else "",
        planned=None,
        began=sent - (facts.held_s or 0.0) if sent else conversation.began / NS,
        sent=sent,
        first_byte=_first_byte(conversation, exchange),
        ended=(conversation.ended or conversation.last) / NS,
        connection=conversation.number,
        local=address_text(conversation.client.address),
        reused=exchange is not None and (exchange.number > 1 or not conversation.from_beginning),
        idle_s=(exchange.request_at - before) / NS if exchange is not None and before else None,
        outcome=outcome,
        status=status,
        bytes_read=facts.received,
        error="",
        errno=None,
        send_errno=None,
        keep_alive=None,
        connection_header=None,
    )


def _first_byte(conversation: Conversation, exchange: Exchange | None) -> float | None:
    if exchange is None or not exchange.response_at:
        return None
    if exchange is conversation.exchange and not conversation.answered:
        return None
    return exchange.response_at / NS
