"""From connections to failed attempts with their facts: what attribution asks about.

An attempt here is what the client must have seen, by its packets; where a proxy stood between and both of its
sides were captured, the facts are those of the side on which the server ended it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from econnlab.attribution.evidence import LOST, Case, Surroundings
from econnlab.attribution.packets.facts import SCAN_PORTS, TURNED_AWAY_S, End, PacketFacts
from econnlab.attribution.packets.hops import Hop, Hops
from econnlab.attribution.packets.observing import NS, address_text, broken_off, end_of, facts_of, lost_hop
from econnlab.attribution.packets.servers import Server, refused_ports, servers_of
from econnlab.packets.conversation import Conversation, Exchange
from econnlab.packets.flows import Traffic, was_refused, went_well
from econnlab.packets.messages import first_line, missing_of_response, response_of
from econnlab.packets.turns import is_error
from econnlab.record.attempts import Attempt, Outcome

#: A request without an answer when the capture ended is a failure only if it had waited this long, s.
PATIENCE_S = 30.0
#: What a proxy may be late by.
_LATENESS_NS = 5_000_000
#: What a server says that waited too long for a request's head.
_TIMED_OUT = b"HTTP/1.1 408"
#: A SYN that was sent so often and never answered.
_UNANSWERED_SYNS = 2


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

    def __init__(self, traffic: Traffic, system: str = "Linux") -> None:
        self.servers: dict[bytes, Server] = servers_of(traffic)
        self._traffic = traffic
        self._scanned = refused_ports(traffic)
        self._around = Surroundings(system, (), 0)
        self._failed = [
            (conversation, exchange, outcome)
            for conversation in traffic.conversations.values()
            if not conversation.one_way
            for exchange, outcome in _failures(conversation, traffic.ended)
        ]
        hops = Hops(traffic, [(front, asked) for front, asked, _ in self._failed if asked is not None])
        self._hops = [
            hops.behind(front, asked) if asked is not None else None for front, asked, _ in self._failed
        ]
        #: Requests that are told of where their client met them, in front of the proxy.
        self._told = frozenset().union(*(hop.passed for hop in self._hops if hop is not None))

    def all(self) -> Iterator[PacketCase]:
        """In the order in which the connections began; a request that a proxy passed on comes once."""
        for (conversation, exchange, outcome), hop in zip(self._failed, self._hops, strict=True):
            if exchange is None or id(exchange) not in self._told:
                yield self._case(conversation, exchange, outcome, hop)

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
            facts = facts_of(conversation, exchange, self._server(conversation), scanned)
        elif hop.exchange is not None and hop.conversation is not None:
            decided = hop.conversation
            through = address_text(conversation.server.address)
            facts = facts_of(
                decided,
                hop.exchange,
                self._server(decided),
                scanned,
                through,
                exchange,
                front=conversation,
            )
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
            return lost_hop(conversation, exchange, behind, self._server(behind))
        return facts_of(
            conversation,
            exchange,
            self._server(conversation),
            scanned,
            kept_by=address_text(conversation.server.address),
        )

    def _server(self, conversation: Conversation) -> Server:
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
        reused=facts.responses > 0 or not covers_beginning(behind),
        idle_s=max(0.0, sent - facts.last_heard) if sent and facts.responses else None,
        outcome=outcome,
        status=asked.status if response_at else None,
    )


def _failures(conversation: Conversation, capture_end: int) -> Iterator[tuple[Exchange | None, Outcome]]:
    """What went wrong on a connection, by what its client must have seen."""
    for error in conversation.errors:
        yield error, Outcome.HTTP_ERROR
    exchange = conversation.exchange
    if was_refused(conversation):
        yield None, Outcome.REFUSED
    elif not conversation.synack_at and conversation.syns and not conversation.server.packets:
        if conversation.syns >= _UNANSWERED_SYNS:
            yield None, Outcome.TIMEOUT
    elif exchange is None:
        if conversation.client.rsts or conversation.server.rsts or _ended_unasked(conversation):
            yield None, _unasked_outcome(conversation)
    elif not conversation.answered:
        outcome = _unanswered(conversation, exchange, capture_end)
        if outcome is not None:
            yield exchange, outcome
    elif response_of(exchange) is not None and is_error(exchange.response):
        yield exchange, Outcome.HTTP_ERROR
    elif (missing_of_response(exchange) and conversation.first_end is not None) or broken_off(conversation):
        yield exchange, _cut(conversation)
    elif (conversation.client.rsts or conversation.server.rsts) and not went_well(conversation):
        yield exchange, Outcome.OTHER


def _ended_unasked(conversation: Conversation) -> bool:
    """The server ended it at once, or in its TLS handshake, before a request could be sent."""
    first = conversation.first_end
    if first is not None and first[0] is conversation.server and _unasked_outcome(conversation) in LOST:
        return True
    return (
        conversation.protocol == "tls"
        and first is not None
        and (first[0] is conversation.server or conversation.unasked.startswith(b"HTTP/"))
    )


def _unasked_outcome(conversation: Conversation) -> Outcome:
    """A client whose connection is ended at once, or in its TLS handshake, has lost what it wanted to ask."""
    end, mark = end_of(conversation.server), conversation.server.ended
    if end is None or mark is None:
        return Outcome.OTHER
    at_once = mark.at - (conversation.confirmed or conversation.began) <= TURNED_AWAY_S * NS
    if conversation.protocol != "tls" and not at_once:
        return Outcome.OTHER
    return Outcome.CLOSED if end is End.FIN else Outcome.RESET


def _unanswered(conversation: Conversation, exchange: Exchange, capture_end: int) -> Outcome | None:
    first = conversation.first_end
    if conversation.unasked.startswith(_TIMED_OUT):
        return Outcome.HTTP_ERROR
    if conversation.protocol == "?" and not _reset_by_server(conversation):
        return None  # what is asked and what is a goodbye in it, nobody knows
    if first is None:
        waited = (capture_end - exchange.request_at) / NS
        return Outcome.TIMEOUT if exchange.resent > 1 or waited > PATIENCE_S else None
    if first[0] is conversation.server:
        return Outcome.CLOSED if end_of(conversation.server) is End.FIN else Outcome.RESET
    return Outcome.TIMEOUT


def _reset_by_server(conversation: Conversation) -> bool:
    first = conversation.first_end
    return first is not None and first[0] is conversation.server and not first[1].is_fin


def _cut(conversation: Conversation) -> Outcome:
    first = conversation.first_end
    if first is not None and first[0] is conversation.client:
        return Outcome.OTHER
    return Outcome.RESET if conversation.server.rst is not None else Outcome.TRUNCATED


def _attempt(
    conversation: Conversation, exchange: Exchange | None, outcome: Outcome, facts: PacketFacts
) -> Attempt:
    request = exchange.request if exchange is not None else b""
    before = exchange.before if exchange is not None else 0
    sent = exchange.request_at / NS if exchange is not None else None
    response = response_of(exchange) if exchange is not None else None
    status = response.status if response is not None else None
    if conversation.unasked.startswith(_TIMED_OUT):
        status = 408
    return Attempt(
        row=0,
        session=conversation.number,
        request=exchange.number if exchange is not None else 0,
        number=1,
        request_id="",
        method=first_line(request).partition(" ")[0] if conversation.protocol == "http" else "",
        planned=None,
        began=sent - (facts.held_s or 0.0) if sent else conversation.began / NS,
        sent=sent,
        first_byte=_first_byte(conversation, exchange),
        ended=(conversation.ended or conversation.last) / NS,
        connection=conversation.number,
        local=address_text(conversation.client.address),
        reused=exchange is not None and (exchange.number > 1 or not covers_beginning(conversation)),
        idle_s=(exchange.request_at - before) / NS if exchange is not None and before else None,
        outcome=outcome,
        status=status,
        bytes_read=exchange.response_bytes if exchange is not None else 0,
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


def covers_beginning(conversation: Conversation) -> bool:
    """The capture has it from its SYN on."""
    return bool(conversation.syn_at or conversation.synack_at)
