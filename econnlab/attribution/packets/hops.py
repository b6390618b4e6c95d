"""The two sides of a proxy in one capture: a request that is met on two connections, one after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from econnlab.packets.conversation import Bygone, Conversation, Exchange
from econnlab.packets.flows import Traffic
from econnlab.packets.messages import has_id, request_name

#: What is on its way through a proxy arrives behind it within this.
_LONGEST_TRANSIT_NS = 2_000_000_000


@dataclass(frozen=True)
class Hop:
    """The connection on which a proxy sent the request on; without ``exchange`` it never did."""

    conversation: Conversation | None
    exchange: Exchange | None
    #: The connection it had used for earlier requests of the client, where that went well.
    earlier: Bygone | None = None
    #: Every hop of this request that was captured, by the identity of its exchange.
    passed: frozenset[int] = frozenset()


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
        named = self._exchanges[hash(request_name(exchange))]
        until = _until(front, exchange, named)
        ahead = _ahead_of(front, exchange, named)
        found = [
            (conversation, passed)
            for conversation, passed in named
            if _is_behind(front, conversation.client.address, conversation.server.address)
            and conversation.server.address not in ahead
            and exchange.request_at < passed.request_at < until
        ]
        if found:
            # The last hop, and of one that was tried again the last time, decided what the client was told.
            decided = max(found, key=lambda each: each[1].request_at)
            return Hop(*decided, passed=frozenset(id(each[1]) for each in found))
        if not front.first_name:
            return None
        for earlier in self._firsts[front.first_name]:
            if not front.began < earlier.began < front.began + _LONGEST_TRANSIT_NS:
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


def _ahead_of(
    front: Conversation, exchange: Exchange, named: list[tuple[Conversation, Exchange]]
) -> set[bytes]:
    """The servers that this request had met before it first came to ``front``'s: none of them is behind it.

    On one host, as with a sidecar, addresses do not tell: a client's next try would pass for a hop behind the
    server that the one before had ended at.
    """
    if not has_id(exchange):
        return set()  # others ask the same in the same bytes, and may ask any server first
    first: dict[bytes, int] = {}
    for conversation, other in named:
        server = conversation.server.address
        first[server] = min(first.get(server, other.request_at), other.request_at)
    here = first.get(front.server.address, exchange.request_at)
    return {server for server, at in first.items() if at < here}


def _until(front: Conversation, exchange: Exchange, named: list[tuple[Conversation, Exchange]]) -> int:
    """Up to when a hop of this request can have been captured."""
    in_transit = exchange.request_at + _LONGEST_TRANSIT_NS
    if not has_id(exchange):
        return in_transit  # later ones with the same bytes are other requests
    again = [
        other.request_at
        for conversation, other in named
        if conversation.server.address == front.server.address and other.request_at > exchange.request_at
    ]
    told = exchange.response_at or front.ended or front.last
    return max(told, min(again, default=in_transit))
