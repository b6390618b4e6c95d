"""The two sides of a proxy in one capture: a request that is met on two connections, one after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from econnlab.wire.conversation import Bygone, Conversation, Exchange
from econnlab.wire.flows import Traffic
from econnlab.wire.messages import request_name

#: A packet of one hop can be noted a little before the packet of the other that caused it.
_SLACK_NS = 1_000_000
#: What is on its way through a proxy arrives behind it within this.
_LONGEST_TRANSIT_NS = 2_000_000_000


@dataclass(frozen=True)
class Hop:
    """The connection on which a proxy sent the request on; without ``exchange`` it never did."""

    conversation: Conversation | None
    exchange: Exchange | None
    #: The connection it had used for earlier requests of the client, where that went well.
    earlier: Bygone | None = None


class Hops:
    """Finds, for requests that failed, the hop behind the one that was asked about."""

    def __init__(self, traffic: Traffic, failed: list[tuple[Conversation, Exchange]]) -> None:
        wanted = {hash(request_name(exchange)) for _, exchange in failed}
        wanted |= {conversation.first_name for conversation, _ in failed if conversation.first_name}
        self._exchanges: dict[int, list[tuple[Conversation, Exchange]]] = defaultdict(list)
        self._firsts: dict[int, list[Conversation | Bygone]] = defaultdict(list)
        for conversation in traffic.conversations.values():
            last = conversation.exchange
            if last is None or not last.request:
                continue
            for exchange in (*conversation.errors, last):
                name = hash(request_name(exchange))
                if name in wanted:
                    self._exchanges[name].append((conversation, exchange))
            first = conversation.first_name or hash(request_name(last))
            if first in wanted:
                self._firsts[first].append(conversation)
        for bygone in traffic.bygones:
            if bygone.first_name in wanted:
                self._firsts[bygone.first_name].append(bygone)

    def behind(self, front: Conversation, exchange: Exchange) -> Hop | None:
        """Where the request went on from ``front``'s server; None where nobody is known to be behind it."""
        ended = front.ended or front.last
        found = [
            (conversation, passed)
            for conversation, passed in self._exchanges[hash(request_name(exchange))]
            if _is_behind(front, conversation.client.address, conversation.server.address)
            and exchange.request_at - _SLACK_NS <= passed.request_at <= ended + _LONGEST_TRANSIT_NS
        ]
        if found:
            # Sent on more than once, the last time before the client was told decides; what was under way
            # when the client had already gone comes after.
            in_time = [each for each in found if each[1].request_at <= ended + _SLACK_NS]
            if in_time:
                return Hop(*max(in_time, key=_asked_at))
            return Hop(*min(found, key=_asked_at))
        if not front.first_name:
            return None
        for earlier in self._firsts[front.first_name]:
            if earlier.began < front.began - _SLACK_NS:
                continue
            if isinstance(earlier, Bygone):
                if _is_behind(front, earlier.client, earlier.server):
                    return Hop(None, None, earlier)
            elif _is_behind(front, earlier.client.address, earlier.server.address):
                return Hop(earlier, None)
        return None


def _is_behind(front: Conversation, client: bytes, server: bytes) -> bool:
    """That connection goes on from the host at which ``front`` ends, to another server."""
    return client[:-2] == front.server.address[:-2] and server not in (
        front.server.address,
        front.client.address,
    )


def _asked_at(found: tuple[Conversation, Exchange]) -> int:
    return found[1].request_at
