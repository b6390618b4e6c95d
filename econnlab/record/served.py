"""What a server did with each request, from its ledger alone: clients need not keep a record. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from econnlab.record.events import ConnectionEvent, Kind, Source

#: Safe to repeat (RFC 9110 section 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FIRST_ERROR = 400


@dataclass
class Arrival:
    """A request, read whole, as it reached the server once. Times are seconds on the monotonic clock."""

    connection: int
    at: float
    #: The client's name for it (see econnlab/naming.py); None without one.
    request_id: str | None
    method: str
    #: In the request's first line: untrusted text.
    target: str
    #: Bytes of its body.
    bytes: int
    #: A hash of its body; None without one.
    digest: str | None
    #: ``request_id`` is an Idempotency-Key.
    keyed: bool = False
    #: Times it was carried out: 0 or 1.
    processed: int = 0
    #: Of the response, once its last byte was handed to the kernel; None without one.
    status: int | None = None
    #: When it was answered, or its connection closed; None if neither has happened.
    ended: float | None = None

    @property
    def failed(self) -> bool:
        """It got no answer or an error, so that a client may try again."""
        return self.status is None or self.status >= _FIRST_ERROR


@dataclass(frozen=True)
class Served:
    """A request and each time it reached the server, in order; never empty."""

    arrivals: tuple[Arrival, ...]

    @property
    def request_id(self) -> str | None:
        """The client's name for it."""
        return self.arrivals[0].request_id

    @property
    def method(self) -> str:
        """``POST``."""
        return self.arrivals[0].method

    @property
    def target(self) -> str:
        """``/orders?page=2``."""
        return self.arrivals[0].target

    @property
    def digest(self) -> str | None:
        """Of the first body."""
        return self.arrivals[0].digest

    @property
    def processed(self) -> int:
        """How many times it was carried out."""
        return sum(arrival.processed for arrival in self.arrivals)

    @property
    def answered(self) -> bool:
        """A whole response without an error was sent, once at least."""
        return not all(arrival.failed for arrival in self.arrivals)

    @property
    def connections(self) -> tuple[int, ...]:
        """The connections it came on, each once."""
        return tuple(dict.fromkeys(arrival.connection for arrival in self.arrivals))

    def __repr__(self) -> str:
        named = f" {self.request_id!r}" if self.request_id is not None else ""
        came = ", ".join(f"#{number}" for number in self.connections)
        return (
            f"<{self.method} {ascii(self.target)[1:-1]}{named} carried out {self.processed}x, came on {came}>"
        )


@dataclass
class Visit:
    """A connection to the server, from its beginning to its end."""

    number: int
    accepted: float
    #: The other end's address.
    peer: str
    #: Requests that were read whole on it.
    requests: int = 0
    closed: float | None = None
    #: Why the server closed it: ``idle_timeout``, ``aborted``, ``client_closed``...
    reason: str | None = None
    #: ``fin`` or ``rst``.
    how: str | None = None
    #: Bytes that lay unread when it was closed.
    unread: int = 0


class Times(int):
    """How often a request was carried out; the attributes serve the text of a failed assert."""

    ledger: ServerLedger
    request_id: str


class ServerLedger:
    """The ledger behind ``read``, which gives every event up to now; each question is answered as of then.

    Requests that carry a name (X-Econnlab-Request, Idempotency-Key, X-Idempotency-Key, X-Request-Id) are
    identified by it, their method and their target. Without a name, a request equal to a failed one (method,
    target and body) counts as its repetition: the server can see no more.
    """

    def __init__(self, read: Callable[[], Sequence[ConnectionEvent]]) -> None:
        self._read = read

    def events(self) -> Sequence[ConnectionEvent]:
        """The ledger itself, the link's lines as well."""
        return self._read()

    @property
    def requests(self) -> tuple[Served, ...]:
        """Every request that was read whole, in order of first arrival."""
        return requests_of(self._read())

    @property
    def connections(self) -> tuple[Visit, ...]:
        """Every connection that the server accepted, in order."""
        return visits_of(self._read())

    def processed(self, request_id: object) -> Times:
        """How many times the request called ``request_id`` (as text) was carried out."""
        name = str(request_id)
        found = Times(sum(each.kind == Kind.PROCESSED and each.request_id == name for each in self._read()))
        found.ledger, found.request_id = self, name
        return found

    def duplicates(self) -> tuple[Served, ...]:
        """Requests carried out more than once, but for methods that are safe to repeat (GET, HEAD)."""
        return tuple(each for each in self.requests if each.processed > 1 and each.method not in SAFE)

    def __repr__(self) -> str:
        return f"<ledger of {len(self.requests)} requests on {len(self.connections)} connections>"


# -- reading --------------------------------------------------------------------------------------


def requests_of(events: Iterable[ConnectionEvent]) -> tuple[Served, ...]:
    """The requests in ``events``, in order of first arrival; see ServerLedger for which are one."""
    groups: dict[tuple[object, ...], list[list[Arrival]]] = defaultdict(list)
    found: list[list[Arrival]] = []
    for arrival in arrivals_of(events):
        named = arrival.request_id is not None
        last = arrival.request_id if named else arrival.digest
        known = groups[(named, arrival.method, arrival.target, last)]
        group = next((each for each in known if named or _repeats(arrival, each[-1])), None)
        if group is None:
            group = []
            known.append(group)
            found.append(group)
        group.append(arrival)
    return tuple(Served(tuple(group)) for group in found)


def _repeats(arrival: Arrival, earlier: Arrival) -> bool:
    return earlier.failed and earlier.ended is not None and earlier.ended <= arrival.at


def arrivals_of(events: Iterable[ConnectionEvent]) -> list[Arrival]:
    """Each time a request was read whole, in order."""
    found: list[Arrival] = []
    current: dict[int, Arrival] = {}
    for event in _of_servers(events):
        number = event.connection or 0
        if event.kind == Kind.REQUEST:
            current[number] = Arrival(
                number,
                event.at,
                event.request_id,
                event.method or "",
                event.target or "",
                event.bytes or 0,
                event.digest,
                bool(event.keyed),
            )
            found.append(current[number])
        elif (arrival := current.get(number)) is None:
            continue
        elif event.kind == Kind.PROCESSED:
            arrival.processed += 1
        elif event.kind == Kind.RESPONSE:
            arrival.status, arrival.ended = event.status, event.at
            del current[number]
        elif event.kind == Kind.CLOSED:
            arrival.ended = event.at
            del current[number]
    return found


def visits_of(events: Iterable[ConnectionEvent]) -> tuple[Visit, ...]:
    """Each connection in ``events``."""
    found: dict[int, Visit] = {}
    for event in _of_servers(events):
        number = event.connection or 0
        if event.kind == Kind.ACCEPTED:
            found[number] = Visit(number, event.at, event.peer or "")
        elif event.kind == Kind.REQUEST and number in found:
            found[number].requests += 1
        elif event.kind == Kind.CLOSED and number in found:
            visit = found[number]
            visit.closed, visit.reason, visit.how = event.at, event.reason, event.how
            visit.unread = event.unread or 0
    return tuple(found.values())


def _of_servers(events: Iterable[ConnectionEvent]) -> list[ConnectionEvent]:
    """In order of time; after a restart there are the ledgers of two servers."""
    mine = [event for event in events if event.source == Source.SERVER]
    # Stable: events of the same moment keep their order.
    return sorted(mine, key=lambda event: event.at)
