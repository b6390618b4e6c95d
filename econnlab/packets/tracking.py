"""The connections of a capture: their beginnings and ends, and packets that are out of the ordinary."""

from __future__ import annotations

import itertools
from collections import deque

from econnlab.packets.belonging import Kept, Known, is_another, is_double, is_its_syn, is_plain
from econnlab.packets.bygones import bygone_of, was_refused, went_well
from econnlab.packets.conversation import Conversation, Mark, Side
from econnlab.packets.icmp import Icmp
from econnlab.packets.protocols import detect
from econnlab.packets.reassembly import (
    WRAP,
    Waiting,
    ahead,
    missing_before,
    must_go_on,
    next_ready,
    too_early,
)
from econnlab.packets.segments import ACK, FIN, RST, SYN, ends_of

#: The same packet at two interfaces is no further apart; what TCP sends again is (RFC 6298: 1 s; Linux 0.2).
SAME_PACKET_NS = 100_000_000
#: The same for packets without an identification, which a fast retransmission resembles.
_SAME_BYTES_NS = 5_000_000
#: So many connections that are over are kept for packets that come late.
LATE = 4096


class Tracker:
    """Adds packets to the connections they belong to."""

    def __init__(self, kept: Kept, late: int | None = None) -> None:
        self._kept = kept
        self._late = LATE if late is None else late
        self._numbers = itertools.count(1)
        #: Those that are over, and may still see a late packet.
        self._over: deque[Conversation] = deque()
        #: By ``ends``: the connection, who sends, and the other side.
        self.known: dict[bytes, Known] = {}
        #: Addresses and ports that have answered or been sent a SYN.
        self._servers: set[bytes] = set()
        #: The connections by their clients' addresses and ports.
        self._clients: dict[bytes, Conversation] = {}

    def unusual(
        self,
        at: int,
        ends: bytes,
        known: Known | None,
        seq: int,
        ack: int,
        flags: int,
        size: int,
        payload: bytes,
        ttl: int,
        ident: int,
    ) -> None:
        """A packet that begins or ends a connection, or does not follow on what was seen of it."""
        if (
            known is not None
            and flags & 0x17 == 0x11
            and not size
            and self._ends_in_order(known, at, seq, ack)
        ):
            self._of_its_sender(known[1], ttl, ident)
            return
        if known is None or flags & SYN or is_another(known, seq, flags):
            known = self._begin(at, ends, known, seq, flags)
        conversation, me, other = known
        if flags & SYN:
            self._opened(known, at, seq, flags)
            seq = (seq + 1) & WRAP  # the SYN itself counts as one; with Fast Open bytes follow (RFC 7413)
            if not size:
                me.packets += 1
                conversation.last = at
                self._of_its_sender(me, ttl, ident)
                if flags & ACK:
                    self._acknowledged(conversation, me, other, ack)
                return
        if me.next is None:
            me.next = seq
        if other.next is None and flags & ACK:
            other.next = ack
        packet = Waiting(at, me is conversation.client, seq, ack, flags, size, payload, ttl, ident)
        if not flags & RST and too_early(packet, me, other):
            self._wait(conversation, packet)
        else:
            self._take(conversation, packet)
            if conversation.early:
                self._go_on(conversation)
        self._judge_calm(conversation)

    def icmp(self, at: int, error: Icmp) -> None:
        """An ICMP error about a packet of one of the connections."""
        known = self.known.get(error.ends)
        if known is None:
            self._kept.unread["ICMP errors about connections that are not in the capture"] += 1
            return
        conversation = known[0]
        conversation.icmp = conversation.icmp or {}
        first = conversation.icmp.get(error.said)
        count = first[3] + 1 if first is not None else 1
        conversation.icmp[error.said] = (
            error.source,
            error.mtu,
            first[2] if first is not None else at,
            count,
        )

    def finish(self) -> None:
        """No more packets will come: what waits for others is taken as it is."""
        for conversation in [each for each in self._kept.conversations.values() if each.early]:
            self.settle(conversation)

    def settle(self, conversation: Conversation) -> None:
        """Take the packets of ``conversation`` that wait for others as they are."""
        while conversation.early:
            self._skip(conversation)
        self._judge_calm(conversation)

    # -- order ----------------------------------------------------------------------------------------

    def _judge_calm(self, conversation: Conversation) -> None:
        client, server = conversation.client, conversation.server
        conversation.calm = (
            not conversation.early
            and bool(conversation.confirmed or not conversation.from_beginning)
            and client.ack is not None
            and server.ack is not None
            and client.next is not None
            and server.next is not None
        )

    def _wait(self, conversation: Conversation, packet: Waiting) -> None:
        me = conversation.client if packet.by_client else conversation.server
        me.packets += 1
        conversation.last = packet.at
        conversation.early = conversation.early or []
        if packet.ident and any(is_double(packet, each) for each in conversation.early[-8:]):
            conversation.doubled += 1
            self._kept.doubled += 1
            return
        conversation.early.append(packet)
        while must_go_on(conversation):
            self._skip(conversation)

    def _skip(self, conversation: Conversation) -> None:
        """What the first waiting packet waits for is missing in the capture: go on without it."""
        side, count = missing_before(conversation)
        self._kept.gaps += 1
        side.next = ((side.next or 0) + count) & WRAP
        side.missing += count
        at = conversation.early[0].at if conversation.early else conversation.last
        side.parse(conversation, at, count, b"")
        side.data_at = max(side.data_at, conversation.began)
        self._go_on(conversation)

    def _go_on(self, conversation: Conversation) -> None:
        while (packet := next_ready(conversation)) is not None:
            self._take(conversation, packet, waited=True)
        if not conversation.early:
            conversation.early = None

    # -- a packet whose turn has come ----------------------------------------------------------------

    def _take(self, conversation: Conversation, packet: Waiting, waited: bool = False) -> None:
        me, other = conversation.client, conversation.server
        if not packet.by_client:
            me, other = other, me
        if not waited:
            me.packets += 1
            conversation.last = packet.at
        at, seq, size, flags = packet.at, packet.seq, packet.size, packet.flags
        if size:
            fresh = ahead((seq + size) & WRAP, me.next if me.next is not None else seq)
            if not fresh:
                if self._again(conversation, me, other, packet):
                    return
            elif not flags & RST:
                me.next = (seq + size) & WRAP
                me.data_at = me.parse(conversation, at, fresh, packet.payload[size - fresh :]) or at
        elif flags & ACK and not flags & (FIN | RST) and me.next is not None and seq == (me.next - 1) & WRAP:
            me.probed_at = at
        if flags & ACK and not flags & RST:
            self._acknowledged(conversation, me, other, packet.ack)
            if not conversation.confirmed and packet.by_client:
                conversation.confirmed = at
        if flags & (FIN | RST):
            self._ended(conversation, me, other, packet)
        if not flags & RST:
            self._of_its_sender(me, packet.ttl, packet.ident)

    def _acknowledged(self, conversation: Conversation, me: Side, other: Side, ack: int) -> None:
        if me.ack is None or ahead(ack, me.ack):
            me.ack = ack
        if other.next is None or not other.packets:
            other.next = ack
        elif (other.fin is None and ahead(ack, other.next) == 1) or (
            other.fin is not None and ack == other.next
        ):
            other.fin_acked = True

    def _of_its_sender(self, me: Side, ttl: int, ident: int) -> None:
        step = ident - me.ident
        if me.ident and ident and 0 < step > me.step:
            me.step = step
        me.ttl = ttl
        me.ident = ident

    def _again(self, conversation: Conversation, me: Side, other: Side, packet: Waiting) -> bool:
        """Bytes that were seen before: the same packet at another interface (True), or sent again."""
        end = (packet.seq + packet.size) & WRAP
        apart = packet.at - max(me.data_at, me.resent_at)
        same = packet.ident == me.ident if packet.ident else apart < _SAME_BYTES_NS
        if same and end == me.next and apart < SAME_PACKET_NS:
            conversation.doubled += 1
            self._kept.doubled += 1
            return True
        if packet.size == 1 and end == me.next:
            me.probed_at = packet.at  # a keep-alive probe with a byte of rubbish (RFC 9293 section 3.8.4)
            return False
        if other.ack is None or ahead(end, other.ack):
            me.resent = me.resent + 1 if me.resent_seq == end else 1
            me.resent_seq, me.resent_at = end, packet.at
        return False

    # -- beginnings -------------------------------------------------------------------------------

    def _begin(self, at: int, ends: bytes, known: Known | None, seq: int, flags: int) -> Known:
        half = len(ends) // 2 - 2
        source, target = ends[:half] + ends[-4:-2], ends[half:-4] + ends[-2:]
        if not flags & SYN:
            client, server = (source, target) if self._is_server(target, source) else (target, source)
            begun = self._new(at, client, server, source)
            begun[0].roles_known = server in self._servers or is_plain(client, server)
            return begun
        if flags & ACK:
            if known is None or known[1] is known[0].client or known[1].isn not in (None, seq):
                known = self._new(at, target, source, source)
        elif known is None or known[1] is known[0].server or not is_its_syn(known, seq):
            known = self._new(at, source, target, source)
        self._clients[known[0].client.address] = known[0]
        self._servers.add(known[0].server.address)
        return known

    def _opened(self, known: Known, at: int, seq: int, flags: int) -> None:
        """A SYN or a SYN-ACK."""
        conversation, me, _ = known
        if me.isn is None:
            me.isn, me.next = seq, (seq + 1) & WRAP
        if flags & ACK:
            if conversation.confirmed and at - conversation.synack_at > SAME_PACKET_NS:
                conversation.synack_again += 1
            conversation.synack_at = conversation.synack_at or at
        else:
            conversation.syn_at = conversation.syn_at or at
            conversation.syns += 1

    def _new(self, at: int, client: bytes, server: bytes, source: bytes) -> Known:
        number = next(self._numbers)
        one, two = Side(client, detect.asked), Side(server, detect.answered)
        conversation = self._kept.conversations[number] = Conversation(number, one, two, at)
        self._clients.setdefault(client, conversation)
        up = self.known[ends_of(client, server)] = (conversation, one, two)
        down = self.known[ends_of(server, client)] = (conversation, two, one)
        return up if source == client else down

    def _is_server(self, it: bytes, other: bytes) -> bool:
        """Of two ends without a SYN: one that is known to serve, or else the lower port."""
        if (it in self._servers) != (other in self._servers):
            return it in self._servers
        return it[-2:] <= other[-2:]

    def _ends_in_order(self, known: Known, at: int, seq: int, ack: int) -> bool:
        """Take a FIN that follows on what was seen, as most do; False if there is anything else about it."""
        conversation, me, other = known
        if not conversation.calm or seq != me.next or ack != other.next or me.fin is not None:
            return False
        if conversation.ended or me.ended is not None:
            return False
        conversation.last = at
        me.packets += 1
        self._acknowledged(conversation, me, other, ack)
        if me is conversation.client and conversation.exchange is not None:
            conversation.received_then = conversation.exchange.response_bytes
        me.fin = Mark(at, seq, ack, True, me.ttl, me.ident, True)
        me.next = (seq + 1) & WRAP
        if other.fin is not None:
            self._is_over(conversation, at)
        return True

    # -- ends -------------------------------------------------------------------------------------

    def _ended(self, conversation: Conversation, me: Side, other: Side, packet: Waiting) -> None:
        mark = Mark(
            packet.at,
            (packet.seq + packet.size) & WRAP,
            packet.ack,
            bool(packet.flags & ACK),
            packet.ttl,
            packet.ident,
            not packet.flags & RST,
        )
        if me is conversation.client and me.ended is None and conversation.exchange is not None:
            conversation.received_then = conversation.exchange.response_bytes
        if packet.flags & RST:
            me.rsts += 1
            me.rst = me.rst or mark
            self._is_over(conversation, packet.at)
            if me.packets == me.rsts and other.sent and not conversation.from_beginning:
                self._told_a_stranger(conversation, me, other)
        elif me.fin is None:
            me.fin = mark
            me.next = (mark.seq + 1) & WRAP
            if other.fin is not None:
                self._is_over(conversation, packet.at)

    def _told_a_stranger(self, conversation: Conversation, me: Side, other: Side) -> None:
        """A client that has a connection answered bytes from another address with RST: they were part of it.

        So it is if conntrack finds a packet INVALID and does not translate its address back.
        """
        real = self._clients.get(me.address)
        if real is not None and real is not conversation and real.from_beginning:
            real.stranger = other.address
            self._kept.conversations.pop(conversation.number, None)

    def _is_over(self, conversation: Conversation, at: int) -> None:
        if conversation.ended:
            return
        conversation.ended = at
        self._over.append(conversation)
        if len(self._over) > self._late:
            self._let_go(self._over.popleft())

    def release(self, before_ns: int) -> None:
        """Keep of connections that went well and were over before then no more than is asked for later.

        Those on which something failed stay as they are, with the packets that may come yet.
        """
        while self._over and self._over[0].ended < before_ns:
            conversation = self._over.popleft()
            if was_refused(conversation) or went_well(conversation):
                self._let_go(conversation)

    def forget(self, conversation: Conversation) -> None:
        """Keep nothing of it. A later packet between the same ends begins another connection."""
        self._unlink(conversation)
        self._kept.conversations.pop(conversation.number, None)

    def _unlink(self, conversation: Conversation) -> None:
        ends = conversation.client.address, conversation.server.address
        for key in (ends_of(*ends), ends_of(*reversed(ends))):
            known = self.known.get(key)
            if known is not None and known[0] is conversation:
                del self.known[key]
        if self._clients.get(ends[0]) is conversation:
            del self._clients[ends[0]]

    def _let_go(self, conversation: Conversation) -> None:
        """Keep no more of it than is asked for later, if no request was lost on it."""
        self.settle(conversation)
        self._unlink(conversation)
        if conversation.number not in self._kept.conversations:
            return  # it was forgotten
        if was_refused(conversation):
            ends = conversation.client.address, conversation.server.address
            self._kept.refusals.append((conversation.began, *ends))
        elif went_well(conversation):
            self._kept.bygones.append(bygone_of(conversation))
        else:
            return
        self._kept.conversations.pop(conversation.number, None)
