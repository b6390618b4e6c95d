"""The verdict over one run of a command, beside its calm runs: the worst that is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from econnlab.commands.check.asked import Asked, Tally
from econnlab.commands.check.calm import Baseline
from econnlab.commands.check.command_end import KEPT_BYTES, CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import IDEMPOTENT


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
class Judgement:
    """The verdict over one run, and why."""

    survival: Survival
    reason: str
    remarks: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


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
                "no harm where your server honours it"
            )
    for kind in strange:
        yield f"{kind} was asked, which the calm run did not"
    if end.output_bytes > KEPT_BYTES:
        yield f"it wrote {end.output_bytes / 1e6:.1f} MB, of which the last {KEPT_BYTES // 1024} KB were kept"
    if end.left_behind:
        processes = "a process" if end.left_behind == 1 else f"{end.left_behind} processes"
        yield f"it left {processes} behind, which the lab ended"
