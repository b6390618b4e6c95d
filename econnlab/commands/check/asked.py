"""The requests that a command made, by the server's ledger, counted so that two runs can be compared.

A request has no name that is the same in every run, so runs are compared by kind (method and path),
and within a kind by how often each single one (same id, or same target and body) was carried out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from econnlab.record.events import ConnectionEvent
from econnlab.record.served import arrivals_of
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Stage


@dataclass(frozen=True)
class AskedRequest:
    """A request in the server's ledger, each time it arrived."""

    method: str
    target: str
    digest: str | None = None
    #: The client's name for it: X-Request-Id and the like.
    request_id: str | None = None
    #: Idempotency-Key: a server that honours it carries the request out only once.
    key: str | None = None
    carried_out: bool = True
    #: The kernel took the last byte of the response.
    answered: bool = True
    #: The number of its connection, which differs from run to run.
    connection: int = field(default=0, compare=False)

    @property
    def single(self) -> tuple[Any, ...]:
        """What tells it from others of its kind within a run."""
        name = self.key or self.request_id
        return (name,) if name else (self.target, self.digest)


@dataclass(frozen=True)
class KindTally:
    """The requests of one kind in a run: how often each single one was carried out, highest first."""

    carried_out: tuple[int, ...] = ()
    #: Carried out again under a known Idempotency-Key; not in ``carried_out``.
    keyed_again: int = 0
    answered: int = 0
    arrived: int = 0

    @property
    def total(self) -> int:
        """How often requests were carried out."""
        return sum(self.carried_out)


#: The tallies by kind of request (``POST /orders``).
Tallies = dict[str, KindTally]


def asked_of(events: Iterable[ConnectionEvent], scenario: Scenario) -> list[AskedRequest]:
    """Each request that a server under ``scenario`` read whole."""
    cut = (
        scenario.server.fault.at
        if scenario.server is not None and scenario.server.fault is not None
        else None
    )
    return [
        AskedRequest(
            arrival.method,
            arrival.target,
            arrival.digest,
            request_id=None if arrival.keyed else arrival.request_id,
            key=arrival.request_id if arrival.keyed else None,
            carried_out=arrival.processed > 0,
            # An answer to HEAD has no body, so half of the body is the whole answer.
            answered=arrival.status is not None or (cut is Stage.HALF_BODY and arrival.method == "HEAD"),
            connection=arrival.connection,
        )
        for arrival in arrivals_of(events)
    ]


def _by_path(asked: AskedRequest) -> str:
    return f"{asked.method} {asked.target.partition('?')[0]}"


def _by_method(asked: AskedRequest) -> str:
    return asked.method


def _singly(asked: AskedRequest) -> tuple[Any, ...]:
    return asked.single


def _together(asked: AskedRequest) -> tuple[Any, ...]:
    return (asked.key,) if asked.key else ()


def _counting(
    kind_of: Callable[[AskedRequest], str], single_of: Callable[[AskedRequest], tuple[Any, ...]]
) -> Callable[[Iterable[AskedRequest]], Tallies]:
    def count(asked: Iterable[AskedRequest]) -> Tallies:
        kinds: dict[str, list[AskedRequest]] = defaultdict(list)
        for each in asked:
            kinds[kind_of(each)].append(each)
        return {kind: _tally(each, single_of) for kind, each in kinds.items()}

    return count


def _tally(asked: Sequence[AskedRequest], single_of: Callable[[AskedRequest], tuple[Any, ...]]) -> KindTally:
    times: Counter[tuple[Any, ...]] = Counter()
    seen: set[str] = set()
    again = 0
    for each in asked:
        if not each.carried_out:
            continue
        if each.key is not None and each.key in seen:
            again += 1
            continue
        if each.key is not None:
            seen.add(each.key)
        times[single_of(each)] += 1
    # A server that honours the key answers again without doing the work again.
    answered = sum(each.answered and (each.carried_out or each.key in seen) for each in asked)
    return KindTally(tuple(sorted(times.values(), reverse=True)), again, answered, len(asked))


#: From the finest to the coarsest. Bodies with a timestamp differ in each run, and so do paths with a random
#: id; the finest way by which the calm runs are equal is the one to compare by.
WAYS = (
    _counting(_by_path, _singly),
    _counting(_by_path, _together),
    _counting(_by_method, _together),
)
