"""All connections of one server together: what tells a restart from a timer, and a limit from chance."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from econnlab.attribution.packets.facts import (
    AT_ONCE_S,
    FEWEST_TOGETHER,
    OVERFLOW_NEAR_S,
    SAME_OUTAGE_S,
    SURVIVED_S,
    TOGETHER_S,
    TURNED_AWAY_S,
    Together,
)
from econnlab.attribution.statistics import quantile
from econnlab.packets.bygones import was_refused
from econnlab.packets.conversation import Answer, Bygone, Conversation, Protocol, Unjudged
from econnlab.packets.judgeable import unjudged
from econnlab.packets.messages import response_of
from econnlab.packets.reassembly import ahead

_NS = 1_000_000_000
_SERVICE_UNAVAILABLE = 503


def covers(acknowledged: int, begin: int) -> bool:
    """An acknowledgment number says that something from ``begin`` on has arrived."""
    return ahead(acknowledged, begin) > 0


class Life(NamedTuple):
    """A connection from its beginning to its end, in seconds since the epoch."""

    began: float
    #: Its first FIN or RST; infinity if none was seen.
    ended: float
    by_server: bool
    fin: bool
    #: From the server's last byte to the end; -1 if it had sent none.
    idle_s: float
    #: Responses that had come.
    responses: int
    longest_idle_s: float
    #: From its last answered request to the response; -1 if there was none.
    took_s: float
    #: Requests that were sent.
    asked: int
    #: The server sent an RST, first or later.
    reset: bool
    #: Its requests and answers are read.
    is_read: bool
    #: The client's address and port.
    client: bytes
    unjudged: Unjudged | None
    protocol: Protocol
    #: What the protocol is called, if it is not read.
    name: str
    #: The server ended it with a request in its kernel and not answered.
    in_progress: bool = False
    #: How old the request was that had no whole answer when the server ended it; -1 if there was none.
    age_s: float = -1.0
    #: New, seen from its SYN, and the server ended it at once, or answered it 503, or never took it up.
    turned_away: bool = False
    #: The last response had said that the connection would be closed.
    announced: bool = False
    #: The server sent its SYN-ACK again though the client had confirmed it: no room in the listen queue.
    overflowed: bool = False


def life_of(conversation: Conversation) -> Life:
    """The connection, seen from its server's other connections."""
    first, exchange = conversation.first_end, conversation.exchange
    last_byte = conversation.server.data_at
    took = -1.0
    if exchange is not None and exchange.response_at and conversation.answered:
        took = (exchange.response_at - exchange.request_at) / _NS
    # What the server sent to a request that came after its end has nothing to do with how long it was idle.
    idle = (first[1].at - last_byte) / _NS if first is not None and last_byte else -1.0
    response = (
        response_of(exchange) if exchange is not None and conversation.protocol is Protocol.HTTP else None
    )
    unheard = exchange is not None and not conversation.open and not conversation.answered
    return Life(
        conversation.began / _NS,
        first[1].at / _NS if first is not None else float("inf"),
        first is not None and first[0] is conversation.server,
        first is not None and first[1].is_fin,
        idle,
        conversation.finished - unheard,
        conversation.longest_idle / _NS,
        took,
        conversation.requests,
        conversation.server.rst is not None,
        conversation.is_read,
        conversation.client.address,
        unjudged(conversation),
        conversation.protocol,
        conversation.name,
        _in_progress(conversation),
        _age_s(conversation),
        was_turned_away(conversation),
        response is not None and response.close,
        conversation.synack_again > 0 and was_silent(conversation),
    )


def was_accepted(conversation: Conversation) -> bool:
    """The server's kernel took part in it."""
    server = conversation.server
    went_on = conversation.client.packets > conversation.syns + conversation.client.rsts
    return bool(conversation.synack_at) or not conversation.syn_at or server.packets > server.rsts or went_on


def _in_progress(conversation: Conversation) -> bool:
    """The server ended it, and its end acknowledges a request that it had not answered."""
    first = conversation.first_end
    if first is None or first[0] is not conversation.server or not conversation.open:
        return False
    exchange = conversation.open[0]
    # A loop that was blocked lets idle timers fire over unread requests: RST, on connections with an answer.
    fin_or_new = first[1].is_fin or (first[1].has_ack and not conversation.finished)
    return fin_or_new and exchange.answer is Answer.NONE and covers(first[1].ack, exchange.begin)


def _age_s(conversation: Conversation) -> float:
    first = conversation.first_end
    if first is None or first[0] is not conversation.server or not conversation.open:
        return -1.0
    return max(0.0, (first[1].at - conversation.open[0].request_at) / _NS)


def was_turned_away(conversation: Conversation) -> bool:
    """New, seen from its SYN: ended by the server at once without a byte, or answered with 503."""
    if not conversation.synack_at or not conversation.syn_at or conversation.missing:
        return False
    exchange = conversation.exchange
    if exchange is not None and exchange.number == 1 and exchange.status == _SERVICE_UNAVAILABLE:
        return True
    if not was_silent(conversation):
        return False
    first, begun = conversation.first_end, conversation.confirmed or conversation.began
    if first is None:
        return False
    if first[0] is conversation.client:  # it gave up, and the server never showed
        return exchange is not None and conversation.server.ack is not None and _acknowledged(conversation)
    asked = exchange.request_at if exchange is not None else begun
    since = min(first[1].at - begun, max(0, first[1].at - asked))
    return since <= TURNED_AWAY_S * _NS and not _refused_by_queue(conversation)


def was_silent(conversation: Conversation) -> bool:
    """The server sent no byte while the client was there to read it."""
    if not conversation.server.sent:
        return True
    exchange = conversation.exchange
    return (
        exchange is not None
        and exchange.number == 1
        and exchange.response_at > 0
        and not conversation.answered
    )


def _acknowledged(conversation: Conversation) -> bool:
    exchange = conversation.exchange
    acknowledged = conversation.server.ack
    return exchange is not None and acknowledged is not None and covers(acknowledged, exchange.begin)


def _refused_by_queue(conversation: Conversation) -> bool:
    """RST without ACK to the handshake's end: the listen queue, not the application."""
    rst = conversation.server.rst
    return rst is not None and not rst.has_ack and conversation.server.fin is None


def past(bygone: Bygone) -> Life:
    """A connection that went well."""
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
        bygone.is_read,
        bygone.client,
        bygone.unjudged,
        bygone.protocol,
        bygone.name,
        announced=bygone.announced,
    )


class Server:
    """The connections to one address and port. Each question is answered in logarithmic time."""

    def __init__(
        self, address: bytes, lives: list[Life], refusals: list[float], survived_s: float = 0.0
    ) -> None:
        self.address = address
        self.lives = lives
        self.refusals = sorted(refusals)
        answered = [life for life in lives if life.responses]
        self._began = sorted(life.began for life in lives)
        self._ended = sorted(life.ended for life in lives)
        self._answered_began = sorted(life.began for life in answered)
        self._answered_ended = sorted(life.ended for life in answered)
        #: The longest that a connection was idle and then used again, of ``lives`` and of those before.
        self.survived_s = max((life.longest_idle_s for life in lives if life.is_read), default=0.0)
        self.survived_s = max(self.survived_s, survived_s)
        took = sorted(life.took_s for life in lives if life.took_s >= 0)
        #: The median time to the first byte of a response; None if there was none.
        self.took_s = quantile(took, 0.5) if took else None
        #: Connections that it turned away.
        self.turned_away = sum(life.turned_away for life in lives)
        #: When connections began that found no room in the listen queue.
        self._overflows = sorted(life.began for life in lives if life.overflowed)
        self._peak: int | None = None
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
        """Counts only connections that stood at ``since``: one that opened later proves no restart."""
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
            _spread([life.age_s for life in closed if life.age_s >= 0]),
            _spread([life.ended for life in closed]),
        )

    def retired_at(self, at: float) -> bool:
        """A good part of its connections ended then, idle for different times: no timer did that."""
        number = int(at / TOGETHER_S)
        since = bisect_left(self._close_times, (number - 1) * TOGETHER_S)
        if bisect_left(self._close_times, (number + 2) * TOGETHER_S) - since < FEWEST_TOGETHER:
            return False  # so it is nearly always
        return self.together(at).like_a_restart

    def standing(self, at: float) -> int:
        """Connections that had begun and not ended just before ``at``."""
        return bisect_left(self._began, at) - bisect_left(self._ended, at)

    def beside(self, began: float, ended: float, *, itself: bool) -> int:
        """Other connections that got an answer and stood at some time in between."""
        overlapping = bisect_left(self._answered_began, ended) - bisect_right(self._answered_ended, began)
        return max(0, overlapping - itself)

    def answered_newcomer(self, after: float, until: float) -> bool:
        """A connection that began in between was answered."""
        return bisect_left(self._answered_began, until) > bisect_right(self._answered_began, after)

    def overflowed_near(self, at: float) -> bool:
        """Another connection of about that time found no room in the listen queue."""
        near = bisect_left(self._overflows, at - OVERFLOW_NEAR_S)
        return near < len(self._overflows) and self._overflows[near] <= at + OVERFLOW_NEAR_S

    def has_room_later(self, beside: int, after: float) -> bool:
        """It never served more at once than ``beside``, and served a newcomer later, when fewer stood."""
        if self._peak is None:
            marks = sorted(
                [(at, 1) for at in self._answered_began] + [(at, -1) for at in self._answered_ended]
            )
            standing, self._peak = 0, 0
            for _, step in marks:
                standing += step
                self._peak = max(self._peak, standing)
        later = bisect_right(self._answered_began, after)
        if beside < self._peak or later == len(self._answered_began):
            return False
        at = self._answered_began[later]
        return later - bisect_left(self._answered_ended, at) < beside

    def accepts_next(self, after: float) -> bool:
        """It accepted a connection later, and not much later."""
        accepted = bisect_right(self._began, after)
        return accepted < len(self._began) and self._began[accepted] <= after + SAME_OUTAGE_S

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


def _spread(values: list[float]) -> float:
    return max(values) - min(values) if values else 0.0


@dataclass(frozen=True)
class Before:
    """What is known of servers from connections whose packets are not kept any more."""

    #: Those that failed: the server's address and port, and the connection.
    lives: Iterable[tuple[bytes, Life]] = ()
    #: The longest that each server let a connection be idle, s.
    survived_s: Mapping[bytes, float] = field(default_factory=dict)


class Seen:
    """What ``flows.Traffic`` keeps: connections, those that went well, refusals; and what was ``before``."""

    def __init__(
        self,
        conversations: Iterable[Conversation],
        bygones: Iterable[Bygone],
        refusals: Iterable[tuple[int, bytes, bytes]],
        before: Before | None = None,
    ) -> None:
        self.conversations, self.bygones, self.refusals = conversations, bygones, refusals
        self.before = before or Before()


def servers_of(seen: Seen) -> dict[bytes, Server]:
    """Every server of the capture, by its address and port."""
    lives: dict[bytes, list[Life]] = defaultdict(list)
    refusals: dict[bytes, list[float]] = defaultdict(list)
    for bygone in seen.bygones:
        lives[bygone.server].append(past(bygone))
    for conversation in seen.conversations:
        if was_accepted(conversation):
            lives[conversation.server.address].append(life_of(conversation))
    for server, life in seen.before.lives:
        lives[server].append(life)
    for at, _, server in _refusals(seen):
        refusals[server].append(at / _NS)
    survived_s = seen.before.survived_s
    return {
        address: Server(
            address, lives.get(address, []), refusals.get(address, []), survived_s.get(address, 0.0)
        )
        for address in lives.keys() | refusals.keys()
    }


def refused_ports(seen: Seen) -> Counter[tuple[bytes, bytes]]:
    """At how many ports of a host another was refused, by the hosts of client and server."""
    each = {(client[:-2], server) for _, client, server in _refusals(seen)}
    return Counter((client, server[:-2]) for client, server in each)


def _refusals(seen: Seen) -> Iterable[tuple[int, bytes, bytes]]:
    yield from seen.refusals
    for conversation in seen.conversations:
        if was_refused(conversation):
            yield conversation.began, conversation.client.address, conversation.server.address
