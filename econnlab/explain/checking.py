"""Does this client survive? What the ledger says of a command's requests, beside a calm run of the same.

Pure: the requests as the server saw them go in, with the command's end; a verdict with its reason comes out.

A request has no name that holds from run to run, so runs are compared by kind of request (method and path),
and within a kind by how often each single one (same id, or same target and body) was carried out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from econnlab.errors import EconnlabError, EnvironmentProblem
from econnlab.record.commands import CommandEnd
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.served import arrivals_of
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import IDEMPOTENT, Stage


class Survival(StrEnum):
    """What became of a command under a scenario: the worst that is true, worst first."""

    DUPLICATED = "duplicated"  # a request that is not idempotent was carried out more often than when calm
    HUNG = "hung"  # still running when its time was over
    LOST = "lost"  # exit code 0, and yet a request was not carried out, or never answered whole
    FAILED = "failed"  # it says so itself; nothing was carried out twice
    SURVIVED = "survived"
    NOT_MET = "not_met"  # as survived, but it never gave the scenario's trouble an occasion

    @property
    def word(self) -> str:
        """As people read it."""
        return self.value.replace("_", " ")


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


@dataclass(frozen=True)
class Baseline:
    """What the command does when nothing goes wrong."""

    tallies: Tallies
    count: Callable[[Iterable[Asked]], Tallies]
    took_s: float

    @property
    def requests(self) -> int:
        """Requests carried out."""
        return sum(tally.total for tally in self.tallies.values())

    @property
    def writes(self) -> bool:
        """Some of them are not idempotent."""
        return any(kind.partition(" ")[0] not in IDEMPOTENT for kind in self.tallies)


@dataclass(frozen=True)
class Row:
    """One kind of request under a scenario, beside the calm run."""

    kind: str
    calm: int
    carried_out: int
    arrived: int
    #: Carried out more often than when calm, and less often: both may be true of one kind.
    more: int
    less: int
    #: Answers that were never handed over whole.
    unanswered: int

    @property
    def harmful(self) -> bool:
        """Carried out once more, it does more."""
        return self.kind.partition(" ")[0] not in IDEMPOTENT


@dataclass(frozen=True)
class Checked:
    """One scenario's run of the command, judged; or the error for which it could not be."""

    scenario: Scenario
    #: Verdicts that are right here.
    expected: frozenset[Survival]
    end: CommandEnd | None = None
    judgement: Judgement | None = None
    error: EconnlabError | None = None

    @property
    def carried_out(self) -> int:
        """Requests carried out."""
        return 0 if self.judgement is None else sum(row.carried_out for row in self.judgement.rows)

    @property
    def as_expected(self) -> bool:
        """The verdict is one of those expected."""
        return self.judgement is not None and self.judgement.survival in self.expected


@dataclass(frozen=True)
class Check:
    """A command and what became of it under each scenario, in the order asked for."""

    command: tuple[str, ...]
    calm: Baseline
    checked: tuple[Checked, ...]
    #: Scenarios that were to be run.
    asked: int

    @property
    def interrupted(self) -> bool:
        """Some scenario was not run to its end."""
        return len(self.checked) < self.asked

    @property
    def broken(self) -> tuple[Checked, ...]:
        """Those whose verdict was not expected."""
        return tuple(each for each in self.checked if each.judgement is not None and not each.as_expected)

    @property
    def failed(self) -> tuple[Checked, ...]:
        """Those that could not be judged."""
        return tuple(each for each in self.checked if each.error is not None)


@dataclass(frozen=True)
class Judgement:
    """The verdict over one run, and why."""

    survival: Survival
    reason: str
    remarks: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


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


def met(events: Iterable[ConnectionEvent], scenario: Scenario) -> bool:
    """The trouble that ``scenario`` is about struck a client; taken to have where no ledger could tell."""
    server = scenario.server
    kinds = {event.kind for event in events}
    signs = set()
    if server is not None and server.fault is not None:
        signs.add(Kind.FAULT)
    if server is not None and (server.refuse_first or server.max_connections is not None):
        signs |= {Kind.DROPPED, Kind.ACCEPT_PAUSED}
    if server is not None and server.restart is not None:
        signs.add(Kind.RETIRING)
    if scenario.middlebox is not None:
        signs.add(Kind.DISCARDED)
    return not signs or bool(kinds & signs)


# -- the calm run ---------------------------------------------------------------------------------


def baseline(calm: Sequence[tuple[CommandEnd, Sequence[Asked]]]) -> Baseline:
    """What ``calm`` runs against a healthy server have in common: how requests are to be told apart.

    Raises EnvironmentProblem where the command fails, hangs, asks nothing, or asks differently each time.
    """
    for end, asked in calm:
        _ensure_worked(end, asked)
    took_s = max(end.took_s for end, _ in calm)
    for count in _WAYS:
        first, *others = [count(asked) for _, asked in calm]
        if all(other == first for other in others):
            return Baseline(first, count, took_s)
    counts = " and ".join(str(len(asked)) for _, asked in calm)
    raise EnvironmentProblem(
        f"The command does not ask the same each time: {counts} requests came when all was well.",
        "Without a fixed number of requests of each method nothing can be called lost or repeated: fix it.",
    )


def aimed(scenario: Scenario, calm: Baseline) -> Scenario:
    """``scenario`` with its trouble where it can do harm.

    What is ended after it was carried out is a request that must not be repeated, where there is one.
    """
    server = scenario.server
    if server is None or server.fault is None or server.fault.at is not Stage.PROCESSED or not calm.writes:
        return scenario
    return replace(scenario, server=replace(server, fault=replace(server.fault, writes=True)))


def right_under(scenario: Scenario) -> frozenset[Survival]:
    """The verdicts that are right under ``scenario``, as it was aimed, where the user does not say.

    A client that gets no answer to a POST cannot know whether it was carried out: to fail is right then.
    """
    server = scenario.server
    unknowable = server is not None and server.fault is not None and server.fault.writes
    right = {Survival.SURVIVED, Survival.NOT_MET}
    return frozenset(right | {Survival.FAILED} if unknowable else right)


def _ensure_worked(end: CommandEnd, asked: Sequence[Asked]) -> None:
    said = f" It said: {end.last_line}" if end.last_line else " It said nothing."
    if end.timed_out:
        came = f"{len(asked)} requests came." if asked else "No request came."
        raise EnvironmentProblem(
            f"The command does not end against a healthy server: it was {end}. {came}",
            "Give it more time (--timeout), or a command that ends by itself." + said,
        )
    if end.code != 0:
        came = "" if asked else ", and no request came to the lab server"
        raise EnvironmentProblem(
            f"The command does not even work against a healthy server: {end}{came}.",
            "Every GET, HEAD, POST, PUT, PATCH and DELETE there is answered 200 with `ok`." + said,
        )
    if not asked:
        raise EnvironmentProblem(
            "The command ignored the URL: it ended with 0, and no request came to the lab server.",
            "Let it ask the URL in ECONNLAB_URL, or write {url} where it takes one.",
        )


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
    answered = sum(each.answered and each.carried_out for each in asked)
    return Tally(tuple(sorted(times.values(), reverse=True)), again, answered, len(asked))


#: From the finest to the coarsest. Bodies with a clock in them are not alike in two runs, nor are paths with
#: a random id: what two calm runs count alike is what can be held against another.
_WAYS = (
    _counting(_by_path, _singly),
    _counting(_by_path, _together),
    _counting(_by_method, _together),
)


# -- a run under a scenario -----------------------------------------------------------------------


def judge(calm: Baseline, end: CommandEnd, asked: Sequence[Asked], *, met: bool) -> Judgement:
    """The verdict over a run that ended with ``end``; ``met``: the scenario's trouble struck it."""
    rows = _rows(calm, asked)
    strange = sorted(calm.count(asked).keys() - calm.tallies.keys())
    survival, reason = _verdict(rows, end, met=met)
    return Judgement(survival, reason, tuple(_remarks(calm, rows, strange, end, asked)), rows)


def _rows(calm: Baseline, asked: Sequence[Asked]) -> tuple[Row, ...]:
    found = calm.count(asked)
    rows = []
    for kind, was in calm.tallies.items():
        seen = found.get(kind, Tally())
        pairs = list(zip_longest(seen.carried_out, was.carried_out, fillvalue=0))
        rows.append(
            Row(
                kind,
                calm=was.total,
                carried_out=seen.total,
                arrived=seen.arrived,
                more=sum(max(0, each - before) for each, before in pairs),
                less=sum(max(0, before - each) for each, before in pairs),
                unanswered=max(0, was.answered - seen.answered),
            )
        )
    return tuple(rows)


def _verdict(rows: Sequence[Row], end: CommandEnd, *, met: bool) -> tuple[Survival, str]:
    if twice := [row for row in rows if row.more and row.harmful]:
        told = "it claims success" if end.claims_success else str(end)
        return Survival.DUPLICATED, f"{_each(twice)}; {told}"
    if end.timed_out:
        return Survival.HUNG, str(end)
    if not end.claims_success:
        return Survival.FAILED, str(end) if met else f"{end}, though the scenario's trouble never struck"
    if missing := [row for row in rows if row.less]:
        return Survival.LOST, f"it claims success, yet {_each(missing)}"
    if cut := [row for row in rows if row.unanswered]:
        kinds = ", ".join(row.kind for row in cut)
        return Survival.LOST, f"it claims success, yet never got the whole answer to {kinds}"
    if not met:
        return Survival.NOT_MET, "the scenario's trouble found no occasion in what it does"
    return Survival.SURVIVED, "everything was carried out as in the calm run"


def _each(rows: Sequence[Row]) -> str:
    return "; ".join(map(_counted, rows))


def _counted(row: Row) -> str:
    if row.more and row.less:
        return f"of {row.kind}, {row.more} was carried out too often and {row.less} not at all"
    return f"{row.kind} was carried out {_times(row.carried_out)}, not {_times(row.calm)}"


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _remarks(
    calm: Baseline, rows: Sequence[Row], strange: Sequence[str], end: CommandEnd, asked: Sequence[Asked]
) -> Iterator[str]:
    for row in rows:
        if row.more and not row.harmful:
            yield f"{row.kind} was carried out {_times(row.carried_out)}, which is no harm: it is idempotent"
        if not end.claims_success and not row.less and row.harmful and row.unanswered:
            yield f"{row.kind} was carried out all the same"
    for kind, tally in calm.count(asked).items():
        if tally.keyed_again:
            yield (
                f"{kind} was carried out again under the same Idempotency-Key: "
                "no harm where your server honours it, as the lab server does not"
            )
    for kind in strange:
        yield f"{kind} was asked, which the calm run did not"
    if end.left_behind:
        processes = "a process" if end.left_behind == 1 else f"{end.left_behind} processes"
        yield f"it left {processes} behind, which the lab ended"
