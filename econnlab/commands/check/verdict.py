"""The verdict over one run of a command, compared with its calm runs: the worst that applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from econnlab.commands.check.asked import AskedRequest, KindTally
from econnlab.commands.check.calm import Baseline
from econnlab.commands.check.command_end import KEPT_BYTES, CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.scenario.server import IDEMPOTENT


@dataclass(frozen=True)
class KindRow:
    """One kind of request under a scenario, compared with the calm run."""

    kind: str
    calm: int
    carried_out: int
    arrived: int
    #: How many were carried out too often, and how many too rarely; both may occur in one kind.
    more: int
    less: int
    #: Answers that were never sent whole.
    unanswered: int

    @property
    def harmful(self) -> bool:
        """A repetition does harm."""
        return self.kind.partition(" ")[0] not in IDEMPOTENT


@dataclass(frozen=True)
class RunVerdict:
    """The verdict over one run, and why."""

    survival: Survival
    reason: str
    remarks: tuple[str, ...] = ()
    rows: tuple[KindRow, ...] = ()


def judge(calm: Baseline, end: CommandEnd, asked: Sequence[AskedRequest], *, met: bool) -> RunVerdict:
    """The verdict over a run that ended with ``end``; ``met``: the scenario's trouble met it."""
    rows = _rows(calm, asked)
    strange = sorted(calm.count(asked).keys() - calm.tallies.keys())
    survival, reason = _verdict(rows, end, met=met)
    return RunVerdict(survival, reason, tuple(_remarks(calm, rows, strange, end, asked)), rows)


def _rows(calm: Baseline, asked: Sequence[AskedRequest]) -> tuple[KindRow, ...]:
    found = calm.count(asked)
    rows = []
    for kind, was in calm.tallies.items():
        seen = found.get(kind, KindTally())
        pairs = list(zip_longest(seen.carried_out, was.carried_out, fillvalue=0))
        rows.append(
            KindRow(
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


def _verdict(rows: Sequence[KindRow], end: CommandEnd, *, met: bool) -> tuple[Survival, str]:
    if twice := [row for row in rows if row.more and row.harmful]:
        told = "it claims success" if end.claims_success else str(end)
        return Survival.DUPLICATED, f"{_each(twice)}; {told}"
    if end.timed_out:
        return Survival.HUNG, str(end)
    if not end.claims_success:
        return Survival.FAILED, str(end) if met else f"{end}, though the scenario's trouble never met it"
    if missing := [row for row in rows if row.less]:
        return Survival.LOST, f"it claims success, yet {_each(missing)}"
    if cut := [row for row in rows if row.unanswered]:
        kinds = ", ".join(row.kind for row in cut)
        return Survival.LOST, f"it claims success, yet never got the whole answer to {kinds}"
    if not met:
        return Survival.NOT_MET, "the scenario's trouble never met it: it gave no occasion for it"
    return Survival.SURVIVED, "everything was carried out as in the calm run"


def _each(rows: Sequence[KindRow]) -> str:
    return "; ".join(map(_counted, rows))


def _counted(row: KindRow) -> str:
    if row.more and row.less:
        return f"of {row.kind}, {row.more} was carried out too often and {row.less} not at all"
    return f"{row.kind} was carried out {_times(row.carried_out)}, not {_times(row.calm)}"


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _remarks(
    calm: Baseline,
    rows: Sequence[KindRow],
    strange: Sequence[str],
    end: CommandEnd,
    asked: Sequence[AskedRequest],
) -> Iterator[str]:
    for row in rows:
        if row.more and not row.harmful:
            yield f"{row.kind} was carried out {_times(row.carried_out)}, no harm: it is idempotent"
        if not end.claims_success and not row.less and row.harmful and row.unanswered:
            yield f"{row.kind} was carried out nevertheless"
    for kind, tally in calm.count(asked).items():
        if tally.keyed_again:
            yield (
                f"{kind} was carried out again under the same Idempotency-Key: "
                "no harm if your server honours it"
            )
    for kind in strange:
        yield f"{kind} came, which the calm run did not send"
    if end.output_bytes > KEPT_BYTES:
        yield f"it wrote {end.output_bytes / 1e6:.1f} MB, of which the last {KEPT_BYTES // 1024} KB were kept"
    if end.left_behind:
        processes = "a process" if end.left_behind == 1 else f"{end.left_behind} processes"
        yield f"it left {processes} behind, which check ended"
