"""Packets sorted into connections, as they come: one pass, and nothing held but what the connections say."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from econnlab.packets.conversation import LONGEST_HEAD, Bygone, Conversation, Exchange, Mark, Side
from econnlab.packets.frames import Frame
from econnlab.packets.layers import ACK, FIN, RST, SYN, Segment, ends_of, segment
from econnlab.packets.messages import missing_of_response, request_name
from econnlab.packets.turns import begins_request, is_alert, is_error, protocol_of

_WRAP = 0xFFFFFFFF
#: A difference of sequence numbers below this is a step forward (RFC 9293 section 3.4).
_FORWARD = 0x80000000
#: So many failed exchanges of one connection are told apart.
_MOST_ERRORS = 1000
#: The same packet at two interfaces is no further apart; what TCP sends again is (RFC 6298: 1 s; Linux 0.2).
_SAME_PACKET_NS = 100_000_000
#: So many connections that are over are kept for packets that come late.
_LATE = 4096

_Known = tuple[Conversation, Side, Side]


@dataclass
class Traffic:
    """What the packets of a capture came to."""

    #: Those that failed, or had not ended with the capture, by their numbers.
    conversations: dict[int, Conversation] = field(default_factory=dict)
    #: Those that went well and are over.
    bygones: list[Bygone] = field(default_factory=list)
    #: SYNs that an RST answered: when, who asked, whom.
    refusals: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    frames: int = 0
    #: Frames that held no TCP segment that could be read.
    others: int = 0
    #: Times that bytes were missing which the other side, or a later packet, says were sent.
    gaps: int = 0
    #: TCP segments of which less was captured than was sent.
    shortened: int = 0
    began: int = 0
    ended: int = 0


def follow(frames: Iterable[Frame]) -> Traffic:
    """Sort ``frames`` into connections."""
    traffic = Traffic()
    tracker = Tracker(traffic)
    add = tracker.add
    others = shortened = count = 0
    at = first = last = 0
    for at, link_type, data, length, _ in frames:
        count += 1
        found = segment(link_type, data, length)
        if found is None:
            others += 1
            continue
        if found[6] - found[5] < found[4]:
            shortened += 1
        if not first:
            first = at
        if at > last:
            last = at
        add(at, found, data)
    traffic.frames, traffic.others, traffic.shortened = count, others, shortened
    traffic.began, traffic.ended = first or at, last or at
    return traffic


class Tracker:
    """Adds segments to the conversations they belong to, in ``traffic``."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._numbers = itertools.count(1)
        #: Those that are over, and may still see a late packet.
        self._over: deque[Conversation] = deque()
        self._known: dict[bytes, _Known] = {}
        #: Addresses and ports that have answered or been sent a SYN.
        self._servers: set[bytes] = set()

    def add(self, at: int, found: Segment, data: bytes) -> None:
        """Take in one segment of a frame ``data``, captured at ``at``."""
        ends, seq, ack, flags, size, start, end, ttl, ident, _ = found
        known = self._known.get(ends)
        if known is None or flags & SYN:
            known = self._begin(at, found, known)
        conversation, me, other = known
        if size and ident and ident == me.ident and seq + size == me.seq:
            return  # the same packet, seen at another interface
        me.packets += 1
        conversation.last = at
        if size:
            if me.seq is None:
                me.seq = seq
            fresh = (seq + size - me.seq) & _WRAP
            if 0 < fresh < _FORWARD:
                if fresh > size:
                    self._traffic.gaps += 1
                me.seq = (seq + size) & _WRAP
                me.sent += fresh
                if conversation.protocol == "tls" and is_alert(data, start, fresh):
                    pass  # close_notify, or why the handshake failed: nobody asks or answers with it
                elif me is conversation.client:
                    self._asked(conversation, at, fresh, data[start:end])
                else:
                    self._answered(conversation, at, fresh, data[start:end])
                    me.data_at = at
            # One byte again is a keep-alive probe (RFC 9293 section 3.8.4).
            elif size > 1 and me is conversation.client and conversation.exchange is not None:
                conversation.exchange.resent += 1
        elif me.seq is None and not flags & RST:
            me.seq = seq
        elif flags & FIN and me.seq is not None and 0 < (seq - me.seq) & _WRAP < _FORWARD:
            self._unseen(conversation, me, at, (seq - me.seq) & _WRAP)
        if flags & ACK and not flags & RST:
            if other.seq is not None and 1 < (ack - other.seq) & _WRAP < _FORWARD:  # 1 is a FIN
                self._unseen(conversation, other, at, (ack - other.seq) & _WRAP)
            if me.ack is None or 0 < ((ack - me.ack) & _WRAP) < _FORWARD:
                me.ack = ack
            if not conversation.confirmed and me is conversation.client:
                conversation.confirmed = at
        if flags & (FIN | RST):
            self._ended(conversation, me, other, at, found)
        if not flags & RST:
            step = ident - me.ident
            if me.ident and ident and 0 < step > me.step:
                me.step = step
            me.ttl = ttl
            me.ident = ident

    def _unseen(self, conversation: Conversation, who: Side, at: int, count: int) -> None:
        """Bytes that were sent, for the other side has them, and are not in the capture."""
        self._traffic.gaps += 1
        who.seq = ((who.seq or 0) + count) & _WRAP
        who.sent += count
        if who is conversation.client:
            self._asked(conversation, at, count, b"")
        else:
            self._answered(conversation, at, count, b"")
            who.data_at = at

    # -- beginnings -------------------------------------------------------------------------------

    def _begin(self, at: int, found: Segment, known: _Known | None) -> _Known:
        source, target, seq, flags = found.source, found.target, found.seq, found.flags
        if not flags & SYN:
            client, server = (source, target) if self._is_server(target, source) else (target, source)
            return self._new(at, client, server, source)
        if flags & ACK:
            if known is None or known[1] is known[0].client or known[1].isn not in (None, seq):
                known = self._new(at, target, source, source)
            self._opened(known, at, found)
            return known
        if known is None or known[1] is known[0].server or known[1].isn != seq:
            known = self._new(at, source, target, source)
        conversation, me, _ = known
        conversation.syn_at = conversation.syn_at or at
        conversation.syns += 1
        me.isn, me.seq = seq, (seq + 1) & _WRAP
        self._servers.add(target)
        return known

    def _opened(self, known: _Known, at: int, found: Segment) -> None:
        conversation, me, _ = known
        if conversation.confirmed and at - conversation.synack_at > _SAME_PACKET_NS:
            conversation.synack_again += 1
        conversation.synack_at = conversation.synack_at or at
        if me.isn is None:
            me.isn, me.seq = found.seq, (found.seq + 1) & _WRAP
        self._servers.add(found.source)

    def _new(self, at: int, client: bytes, server: bytes, source: bytes) -> _Known:
        number = next(self._numbers)
        conversation = self._traffic.conversations[number] = Conversation(number, client, server, at)
        one, two = conversation.client, conversation.server
        up = self._known[ends_of(client, server)] = (conversation, one, two)
        down = self._known[ends_of(server, client)] = (conversation, two, one)
        return up if source == client else down

    def _is_server(self, it: bytes, other: bytes) -> bool:
        """Of two ends without a SYN: one that is known to serve, or else the lower port."""
        if (it in self._servers) != (other in self._servers):
            return it in self._servers
        return it[-2:] <= other[-2:]

    # -- what is said -----------------------------------------------------------------------------

    def _asked(self, conversation: Conversation, at: int, fresh: int, payload: bytes) -> None:
        """New bytes of the client."""
        exchange = conversation.exchange
        if not conversation.protocol:
            conversation.protocol = protocol_of(payload)
        if exchange is None or exchange.response_at:
            if not begins_request(conversation, payload, fresh):
                if exchange is not None:
                    exchange.request_bytes += fresh
                return
            exchange = self._turn(conversation, at, fresh)
        exchange.request_last_at = at
        exchange.request_bytes += fresh
        exchange.end = (exchange.end + fresh) & _WRAP
        if len(exchange.request) < LONGEST_HEAD and b"\r\n\r\n" not in exchange.request:
            exchange.request += payload[:LONGEST_HEAD]

    def _turn(self, conversation: Conversation, at: int, fresh: int) -> Exchange:
        last, server = conversation.exchange, conversation.server
        if last is not None:
            if last.number == 1:
                conversation.first_name = hash(request_name(last))
            if last.before and last.request_at - last.before > conversation.longest_idle:
                conversation.longest_idle = last.request_at - last.before
            if is_error(last.response) and len(conversation.errors) < _MOST_ERRORS:
                conversation.errors.append(last)
        conversation.exchanges += 1
        begin = ((conversation.client.seq or 0) - fresh) & _WRAP
        exchange = Exchange(conversation.exchanges, at, begin, server.data_at if last is not None else 0)
        conversation.previous, conversation.exchange = last, exchange
        return exchange

    def _answered(self, conversation: Conversation, at: int, fresh: int, payload: bytes) -> None:
        """New bytes of the server."""
        exchange = conversation.exchange
        if exchange is None:
            conversation.unasked_bytes += fresh
            if len(conversation.unasked) < LONGEST_HEAD:
                conversation.unasked += payload[:LONGEST_HEAD]
            return
        if not exchange.response_at:
            exchange.response_at, exchange.asked_then = at, exchange.request_bytes
            exchange.response = payload[:LONGEST_HEAD]
        elif len(exchange.response) < LONGEST_HEAD and b"\r\n\r\n" not in exchange.response:
            exchange.response += payload[:LONGEST_HEAD]
        elif exchange.response[9:10] == b"1" and conversation.protocol == "http":
            # An interim response (RFC 9110 section 15.2): what counts is the one behind it.
            exchange.response, exchange.response_bytes = payload[:LONGEST_HEAD], 0
            exchange.response_at, exchange.asked_then = at, exchange.request_bytes
        exchange.response_last_at = at
        exchange.response_bytes += fresh
        exchange.tail = (exchange.tail + payload)[-5:] if len(payload) < 5 else payload[-5:]

    # -- ends -------------------------------------------------------------------------------------

    def _ended(self, conversation: Conversation, me: Side, other: Side, at: int, found: Segment) -> None:
        mark = Mark(
            at,
            (found.seq + found.size) & _WRAP,
            found.ack,
            bool(found.flags & ACK),
            found.ttl,
            found.ident,
            not found.flags & RST,
        )
        if found.flags & RST:
            me.rsts += 1
            me.rst = me.rst or mark
            self._is_over(conversation, at)
        elif me.fin is None:
            me.fin = mark
            me.seq = (mark.seq + 1) & _WRAP
            if other.fin is not None:
                self._is_over(conversation, at)

    def _is_over(self, conversation: Conversation, at: int) -> None:
        if conversation.ended:
            return
        conversation.ended = at
        self._over.append(conversation)
        if len(self._over) > _LATE:
            self._let_go(self._over.popleft())

    def _let_go(self, conversation: Conversation) -> None:
        """Keep no more of it than is asked for later, where nothing was lost on it."""
        client, server, exchange = conversation.client, conversation.server, conversation.exchange
        ends = client.address, server.address
        for key in (ends_of(*ends), ends_of(*reversed(ends))):
            known = self._known.get(key)
            if known is not None and known[0] is conversation:
                del self._known[key]
        if was_refused(conversation):
            self._traffic.refusals.append((conversation.began, client.address, server.address))
        elif went_well(conversation):
            self._traffic.bygones.append(_bygone(conversation, exchange))
        else:
            return
        del self._traffic.conversations[conversation.number]


def was_refused(conversation: Conversation) -> bool:
    """Its SYN was answered with RST."""
    server = conversation.server
    return (
        server.rst is not None
        and bool(conversation.syn_at)
        and not conversation.synack_at
        and not server.sent
    )


def went_well(conversation: Conversation) -> bool:
    """It is over, without an RST, and every request on it was answered whole."""
    exchange = conversation.exchange
    if not conversation.ended or conversation.server.rsts or conversation.client.rsts or conversation.errors:
        return False
    if exchange is None:
        return bool(conversation.client.sent) or not conversation.unasked_bytes
    return (
        bool(exchange.response_at) and not is_error(exchange.response) and not missing_of_response(exchange)
    )


def longest_idle(conversation: Conversation) -> int:
    """The longest pause, ns, before a request that was answered."""
    last = conversation.exchange
    pause = last.request_at - last.before if last is not None and last.before and conversation.answered else 0
    return max(conversation.longest_idle, pause)


def _bygone(conversation: Conversation, exchange: Exchange | None) -> Bygone:
    first = conversation.first_end
    by_server = first is not None and first[0] is conversation.server
    last_name = hash(request_name(exchange)) if exchange is not None else 0
    idle = first[1].at - conversation.server.data_at if first and conversation.server.data_at else -1
    return Bygone(
        conversation.client.address,
        conversation.server.address,
        conversation.began,
        conversation.ended,
        by_server,
        idle,
        conversation.exchanges,
        conversation.protocol in ("http", "tls"),
        longest_idle(conversation),
        exchange.response_at - exchange.request_at if exchange is not None else -1,
        conversation.first_name or last_name,
        last_name,
    )
