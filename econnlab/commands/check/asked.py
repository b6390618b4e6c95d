"""The requests that a command made, as the server's ledger has them, counted so that two runs compare.

A request has no name that holds from run to run, so runs are compared by kind of request (method and path),
and within a kind by how often each single one (same id, or same target and body) was carried out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from econnlab.record.events import ConnectionEvent
from econnlab.record.served import arrivals_of
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Stage


@dataclass(frozen=True)
class Asked:
    """A request as the server's ledger has it, each time it arrived."""

    method: str
    target: str
    digest: str | None = None
    #: What the client itself calls it: X-Request-Id and the like.
    request_id: str | None = None
    #: Idempotency-Key: a server that honours it carries the request out once.
    key: str | None = None
    carried_out: bool = True
    #: The response's last byte was handed to the kernel.
    answered: bool = True

    @property
    def single(self) -> tuple[Any, ...]:
        """What tells it from others of its kind, within a run."""
        name = self.key or self.request_id
        return (name,) if name else (self.target, self.digest)


@dataclass(frozen=True)
class Tally:
    """The requests of one kind in a run: how often each single one was carried out, most often first."""

    carried_out: tuple[int, ...] = ()
    #: Carried out again under an Idempotency-Key that had been seen: not in ``carried_out``.
    keyed_again: int = 0
    answered: int = 0
    arrived: int = 0

    @property
    def total(self) -> int:
        """How many were carried out."""
        return sum(self.carried_out)


#: Kinds of request, as people read them (``POST /orders``), and their tallies.
Tallies = dict[str, Tally]


def asked_of(events: Iterable[ConnectionEvent], scenario: Scenario) -> list[Asked]:
    """Each request in the ledger of a server under ``scenario`` that was read whole."""
    cut = (
        scenario.server.fault.at
        if scenario.server is not None and scenario.server.fault is not None
        else None
    )
    return [
        Asked(
            arrival.method,
            arrival.target,
            arrival.digest,
            request_id=None if arrival.keyed else arrival.request_id,
            key=arrival.request_id if arrival.keyed else None,
            carried_out=arrival.processed > 0,
            # Half of the body of an answer to HEAD, which has none, is the whole answer.
            answered=arrival.status is not None or (cut is Stage.HALF_BODY and arrival.method == "HEAD"),
        )
        for arrival in arrivals_of(events)
    ]


def _by_path(asked: Asked) -> str:
    return f"{asked.method} {asked.target.partition('?')[0]}"


def _by_method(asked: Asked) -> str:
    return asked.method


def _singly(asked: Asked) -> tuple[Any, ...]:
    return asked.single


def _together(asked: Asked) -> tuple[Any, ...]:
    return (asked.key,) if asked.key else ()


def _counting(
    kind_of: Callable[[Asked], str], single_of: Callable[[Asked], tuple[Any, ...]]
) -> Callable[[Iterable[Asked]], Tallies]:
    def count(asked: Iterable[Asked]) -> Tallies:
        kinds: dict[str, list[Asked]] = defaultdict(list)
        for each in asked:
            kinds[kind_of(each)].append(each)
        return {kind: _tally(each, single_of) for kind, each in kinds.items()}

    return count


def _tally(asked: Sequence[Asked], single_of: Callable[[Asked], tuple[Any, ...]]) -> Tally:
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
    # A server that honours the key answers again without doing it again.
    answered = sum(each.answered and (each.carried_out or each.key in seen) for each in asked)
    return Tally(tuple(sorted(times.values(), reverse=True)), again, answered, len(asked))


#: From the finest to the coarsest. Bodies with a clock in them are not alike in two runs, nor are paths with
#: a random id: what two calm runs count alike is what can be held against another.
WAYS = (
    _counting(_by_path, _singly),
    _counting(_by_path, _together),
    _counting(_by_method, _together),
)
