"""All connections of one server together: what tells a restart from a timer, and a limit from chance."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from econnlab.attribution.packets.facts import AT_ONCE_S, SAME_OUTAGE_S, SURVIVED_S, TOGETHER_S, Together
from econnlab.attribution.statistics import quantile
from econnlab.packets.conversation import Bygone, Conversation
from econnlab.packets.flows import Traffic, longest_idle, was_refused

_NS = 1_000_000_000
_WRAP, _FORWARD = 0xFFFFFFFF, 0x80000000


def covers(acknowledged: int, begin: int) -> bool:
    """An acknowledgment number says that something from ``begin`` on has arrived."""
    return 0 < ((acknowledged - begin) & _WRAP) < _FORWARD


class Life(NamedTuple):
    """A connection from its beginning to its end, in seconds since the epoch."""

    began: float
    #: Its first FIN or RST; infinity where none was seen.
    ended: float
    by_server: bool
    fin: bool
    #: From the server's last byte to the end; -1 where it had sent none.
    idle_s: float
    #: Responses that had come.
    responses: int
    longest_idle_s: float
    #: From its last answered request to the response; -1 where there was none.
    took_s: float
    #: Requests that were sent.
    asked: int
    #: The server sent an RST, first or later.
    reset: bool
    #: It spoke HTTP, in the clear or under TLS.
    http: bool
    #: The client's address and port.
    client: bytes
    #: The server closed it (FIN) with a request read and not answered.
    in_progress: bool = False


def life_of(conversation: Conversation) -> Life:
    """The connection, seen from its server's other connections."""
    first, exchange = conversation.first_end, conversation.exchange
    last_byte = conversation.server.data_at
    answered = conversation.answered
    responses = conversation.exchanges - (0 if answered or exchange is None else 1)
    # What the server sent to a request that came after its end has nothing to do with how long it was idle.
    idle = (first[1].at - last_byte) / _NS if first is not None and last_byte else -1.0
    took = (exchange.response_at - exchange.request_at) / _NS if answered and exchange is not None else -1.0
    return Life(
        conversation.began / _NS,
        first[1].at / _NS if first is not None else float("inf"),
        first is not None and first[0] is conversation.server,
        first is not None and first[1].is_fin,
        idle,
        responses,
        longest_idle(conversation) / _NS,
        took,
        conversation.exchanges,
        conversation.server.rst is not None,
        conversation.protocol in ("http", "tls"),
        conversation.client.address,
        _in_progress(conversation),
    )


def _in_progress(conversation: Conversation) -> bool:
    first, exchange = conversation.first_end, conversation.exchange
    if first is None or first[0] is not conversation.server or not first[1].is_fin:
        return False
    return exchange is not None and not exchange.response_at and covers(first[1].ack, exchange.begin)


def _past(bygone: Bygone) -> Life:
    return Life(
        bygone.began / _NS,
        bygone.ended / _NS,
        bygone.by_server,
        True,
        bygone.idle / _NS if bygone.idle >= 0 else -1.0,
        bygone.exchanges,
        bygone.longest_idle / _NS,
        bygone.took / _NS if bygone.took >= 0 else -1.0,
        bygone.exchanges,
        False,
        bygone.http,
        bygone.client,
    )


class Server:
    """The connections to one address and port. Each question is answered in logarithmic time."""

    def __init__(self, address: bytes, lives: list[Life], refusals: list[float]) -> None:
        self.address = address
        self.lives = lives
        self.refusals = sorted(refusals)
        answered = [life for life in lives if life.responses]
        self._began = sorted(life.began for life in lives)
        self._ended = sorted(life.ended for life in lives)
        self._answered_began = sorted(life.began for life in answered)
        self._answered_ended = sorted(life.ended for life in answered)
        self.survived_s = max((life.longest_idle_s for life in lives), default=0.0)
        took = sorted(life.took_s for life in lives if life.took_s >= 0)
        #: The median time to the first byte of a response; None where there was none.
        self.took_s = quantile(took, 0.5) if took else None
        self._limits = Counter(
            life.responses
            for life in lives
            if life.by_server and life.fin and 0 <= life.idle_s <= AT_ONCE_S and life.responses
        )
        self._closes = sorted((life for life in lives if life.by_server), key=lambda life: life.ended)
        self._close_times = [life.ended for life in self._closes]
        #: By the number of its window: see ``together``.
        self._together: dict[int, Together] = {}

    def together(self, at: float) -> Together:
        """What the server closed around ``at``: in its window of TOGETHER_S, the one before, the next."""
        number = int(at / TOGETHER_S)
        if number not in self._together:
            self._together[number] = self._closed((number - 1) * TOGETHER_S, (number + 2) * TOGETHER_S)
        return self._together[number]

    def _closed(self, since: float, until: float) -> Together:
        """Of the connections that stood at the beginning: what comes and goes in between is no restart."""
        within = slice(bisect_left(self._close_times, since), bisect_left(self._close_times, until))
        closed = [life for life in self._closes[within] if life.began < since]
        idle = sorted(life.idle_s for life in closed if life.idle_s >= 0) or [0.0]
        return Together(
            len(closed),
            sum(life.fin for life in closed),
            sum(life.in_progress for life in closed),
            self.standing(since),
            idle[-1],
            idle[-1] - idle[0],
            self.survived_s,
        )

    def retired_at(self, at: float) -> bool:
        """A good part of its connections ended then, idle for different times: no timer did that."""
        return self.together(at).like_a_restart

    def standing(self, at: float) -> int:
        """Connections that had begun and not ended just before ``at``."""
        return bisect_left(self._began, at) - bisect_left(self._ended, at)

    def beside(self, began: float, ended: float, *, itself: bool) -> int:
        """Connections that got an answer and stood at some time in between, but for the one in question."""
        overlapping = bisect_left(self._answered_began, ended) - bisect_right(self._answered_ended, began)
        return max(0, overlapping - itself)

    def answered_newcomer(self, after: float, until: float) -> bool:
        """A connection that began in between was answered."""
        return bisect_left(self._answered_began, until) > bisect_right(self._answered_began, after)

    def refuses_next(self, after: float) -> bool:
        """Nothing of it outlived that moment, and the next connection, not much later, was refused."""
        if self.standing(after + SURVIVED_S):
            return False
        refused = bisect_right(self.refusals, after)
        if refused == len(self.refusals) or self.refusals[refused] > after + SAME_OUTAGE_S:
            return False
        accepted = bisect_right(self._began, after)
        return accepted == len(self._began) or self.refusals[refused] < self._began[accepted]

    def same_limit(self, responses: int) -> int:
        """Connections that it closed at once after as many responses."""
        return self._limits[responses]


def servers_of(traffic: Traffic) -> dict[bytes, Server]:
    """Every server of the capture, by its address and port."""
    lives: dict[bytes, list[Life]] = defaultdict(list)
    refusals: dict[bytes, list[float]] = defaultdict(list)
    for bygone in traffic.bygones:
        lives[bygone.server].append(_past(bygone))
    for conversation in traffic.conversations.values():
        if conversation.synack_at or conversation.server.packets > conversation.server.rsts:
            lives[conversation.server.address].append(life_of(conversation))
    for at, _, server in _refusals(traffic):
        refusals[server].append(at / _NS)
    return {
        address: Server(address, lives.get(address, []), refusals.get(address, []))
        for address in lives.keys() | refusals.keys()
    }


def refused_ports(traffic: Traffic) -> Counter[tuple[bytes, bytes]]:
    """At how many ports of a host another was refused, by the hosts of client and server."""
    seen = {(client[:-2], server) for _, client, server in _refusals(traffic)}
    return Counter((client, server[:-2]) for client, server in seen)


def _refusals(traffic: Traffic) -> Iterable[tuple[int, bytes, bytes]]:
    yield from traffic.refusals
    for conversation in traffic.conversations.values():
        if was_refused(conversation):
            yield conversation.began, conversation.client.address, conversation.server.address
