"""The two sides of a proxy in one capture: a request that is met on two connections, one after the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from econnlab.packets.conversation import Bygone, Conversation, Exchange, Protocol
from econnlab.packets.flows import Traffic
from econnlab.packets.messages import has_id, request_name

#: What is on its way through a proxy arrives behind it within this.
_LONGEST_TRANSIT_NS = 2_000_000_000
#: Of more requests with one name than this within that time, the first that is not taken yet is the one.
_MANY_ALIKE = 64

_Met = tuple[Conversation, Exchange]


@dataclass(frozen=True)
class Hop:
    """The connection on which a proxy sent the request on; without ``exchange`` it never did."""

    conversation: Conversation | None
    exchange: Exchange | None
    #: The connection it had used for earlier requests of the client, if that went well.
    earlier: Bygone | None = None


class Hops:
    """Finds, for requests that failed, the hop behind the one that was asked about."""

    def __init__(
        self, traffic: Traffic, failed: list[_Met], stopped: Callable[[], bool] = lambda: False
    ) -> None:
        wanted = {_name(exchange) for _, exchange in failed}
        firsts = {_first_name(conversation) for conversation, _ in failed} - {0}
        self._met = _Named(traffic.conversations.values(), wanted)
        self._firsts = _Firsts(traffic, firsts)
        self._passed: set[int] = set()
        self._hops: dict[int, Hop] = {}
        for front, exchange in sorted(failed, key=lambda each: each[1].request_at):
            if stopped():
                return
            hop = self._behind(front, exchange)
            if hop is not None:
                self._hops[id(exchange)] = hop

    def of(self, exchange: Exchange) -> Hop | None:
        """Where the request went on; None if no connection behind it is known."""
        return self._hops.get(id(exchange))

    def is_passed(self, exchange: Exchange) -> bool:
        """It was met on the hop in front as well, and is reported there."""
        return id(exchange) in self._passed

    def _behind(self, front: Conversation, exchange: Exchange) -> Hop | None:
        found = self._met.behind(front, exchange, self._passed)
        if found:
            self._passed.update(id(passed) for _, passed in found)
            # The last hop, and of one that was tried again the last time, decided what the client was told.
            return Hop(*max(found, key=lambda each: each[1].request_at))
        earlier = self._firsts.behind(front)
        if isinstance(earlier, Bygone):
            return Hop(None, None, earlier)
        return Hop(earlier, None) if earlier is not None else None


class _Named:
    """The requests of a capture by their names, in order of time."""

    def __init__(self, conversations: Iterable[Conversation], wanted: set[int]) -> None:
        by_client: dict[tuple[int, bytes], list[_Met]] = defaultdict(list)
        #: By name and server: when it was asked.
        times: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        for conversation in conversations:
            for exchange in _exchanges(conversation):
                name = _name(exchange)
                if name in wanted:
                    by_client[name, conversation.client.address[:-2]].append((conversation, exchange))
                    times[name, conversation.server.address].append(exchange.request_at)
        self._by_client = {
            key: sorted(found, key=lambda each: each[1].request_at) for key, found in by_client.items()
        }
        self._times = {key: sorted(found) for key, found in times.items()}
        self._servers: dict[int, list[bytes]] = defaultdict(list)
        for name, server in self._times:
            self._servers[name].append(server)

    def behind(self, front: Conversation, exchange: Exchange, taken: set[int]) -> list[_Met]:
        """The hops of the request behind ``front``'s server: host and time fit."""
        name, here = _name(exchange), front.server.address
        group = self._by_client.get((name, here[:-2]), [])
        if not group:
            return []
        begin = bisect_right(group, exchange.request_at, key=lambda each: each[1].request_at)
        end = bisect_left(group, self._until(front, exchange), key=lambda each: each[1].request_at)
        ahead = self._ahead_of(front, exchange)
        many, found = end - begin > _MANY_ALIKE or not has_id(exchange), []
        for conversation, passed in group[begin : min(end, begin + 4 * _MANY_ALIKE)]:
            server = conversation.server.address
            if server in (here, front.client.address) or server in ahead or id(passed) in taken:
                continue
            found.append((conversation, passed))
            if many:
                break
        return found

    def _ahead_of(self, front: Conversation, exchange: Exchange) -> set[bytes]:
        """The servers that the request had met before it first came to ``front``'s: none is behind it.

        On one host, as with a sidecar, addresses do not tell: a client's next try would pass for a hop behind
        the server that the one before had ended at.
        """
        if not has_id(exchange):
            return set()  # others ask the same in the same bytes, and may ask any server first
        name = _name(exchange)
        here = self._times.get((name, front.server.address), [exchange.request_at])[0]
        return {server for server in self._servers[name] if self._times[name, server][0] < here}

    def _until(self, front: Conversation, exchange: Exchange) -> int:
        """Up to when a hop of this request can have been captured."""
        in_transit = exchange.request_at + _LONGEST_TRANSIT_NS
        if not has_id(exchange):
            return in_transit  # later ones with the same bytes are other requests
        times = self._times.get((_name(exchange), front.server.address), [])
        after = bisect_right(times, exchange.request_at)
        again = times[after] if after < len(times) else in_transit
        told = exchange.response_at or front.ended or front.last
        return max(told, again)


class _Firsts:
    """Connections by the name of the first request on them, and by their client's host, in order of time."""

    def __init__(self, traffic: Traffic, wanted: set[int]) -> None:
        found: dict[tuple[int, bytes], list[tuple[int, Conversation | Bygone]]] = defaultdict(list)
        for conversation in traffic.conversations.values():
            name = _name(conversation.first) if conversation.first is not None and wanted else 0
            if name in wanted:
                found[name, conversation.client.address[:-2]].append((conversation.began, conversation))
        for bygone in traffic.bygones:
            if bygone.first_name in wanted:
                found[bygone.first_name, bygone.client[:-2]].append((bygone.began, bygone))
        self._found = {key: sorted(each, key=lambda one: one[0]) for key, each in found.items()}

    def behind(self, front: Conversation) -> Conversation | Bygone | None:
        """The connection to another server that began when ``front`` had, with the same first request."""
        name = _first_name(front)
        group = self._found.get((name, front.server.address[:-2]), []) if name else []
        begin = bisect_right(group, front.began, key=lambda each: each[0])
        for began, each in group[begin : begin + _MANY_ALIKE]:
            if began >= front.began + _LONGEST_TRANSIT_NS:
                return None
            server = each.server if isinstance(each, Bygone) else each.server.address
            if server not in (front.server.address, front.client.address):
                return each
        return None


def _exchanges(conversation: Conversation) -> list[Exchange]:
    if conversation.protocol is not Protocol.HTTP or conversation.exchange is None:
        return []
    found = {id(each): each for each in (*conversation.errors, *conversation.open, conversation.exchange)}
    return [each for each in found.values() if each.request]


def _name(exchange: Exchange) -> int:
    return hash(request_name(exchange))


def _first_name(conversation: Conversation) -> int:
    """Of the first request, if there were others after it."""
    first = conversation.first
    return _name(first) if first is not None and first is not conversation.exchange else 0
