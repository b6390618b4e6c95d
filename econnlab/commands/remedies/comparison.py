"""Remedies beside each other: what each leaves of the failures, and its price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from econnlab.attribution.statistics import differ, quantile, wilson
from econnlab.attribution.summary import Summary
from econnlab.record.attempts import Outcome, Request
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.record.run import Run
from econnlab.scenario.server import Ending, Stage

#: A latency that somebody notices, beyond the noise of a busy machine.
NOTICED_MS = 50.0
#: More than so many times the requests is not worth advising.
MOST_TIMES = 50
#: Stages at which a request has been carried out; see econnlab.scenario.server.
_CARRIED_OUT = frozenset({Stage.PROCESSED, Stage.HALF_HEAD, Stage.HALF_BODY})
#: Methods that may be carried out twice and mean the same (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})


@dataclass(frozen=True)
class Remedy:
    """One remedy, or the run without any."""

    name: str
    help: str
    price: str
    #: By its rule a request may be carried out twice that was carried out before, whatever the method.
    repeats: bool = False


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    requests: int
    failures: int
    #: Failures that were an answer, with an error's status.
    answered: int
    #: Requests carried out never, once, more than once; None where the server's ledger is not known.
    lost: int | None
    once: int | None
    more: int | None
    #: How often something was carried out that had been carried out before.
    extra: int | None
    attempts: int
    #: Connections that carried at least a byte of a request.
    connections: int
    #: What the server was asked, pings and repetitions too.
    served: int | None
    #: From the due time to the end of the requests that succeeded, in ms; None where none did.
    median_ms: float | None
    p99_ms: float | None
    #: Planned faults that struck and that no reuse of a connection brings about: the process was killed, or
    #: the request had been carried out.
    struck: int = 0
    #: False: the run was interrupted. Its first requests, on new connections, are not like its last.
    whole: bool = True

    @property
    def unanswered(self) -> int:
        """Failures in which the client met the end of its connection, and read no error."""
        return self.failures - self.answered

    @property
    def rate(self) -> float:
        """The share of requests that failed."""
        return self.failures / self.requests if self.requests else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the rate."""
        return wilson(self.failures, self.requests)


class Effect(StrEnum):
    """What a remedy did to the failures."""

    NONE = "none"  # the run without a remedy
    CURED = "cured"
    HELPED = "helped"
    SAME = "same"
    WORSE = "worse"


@dataclass(frozen=True)
class Result:
    """A remedy, what came of it, and the difference to doing nothing."""

    remedy: Remedy
    figures: Figures
    effect: Effect
    #: It carried a request out twice, or may, and the method does not allow that.
    unsafe: bool
    #: None where one of the two had no success.
    added_median_ms: float | None
    added_p99_ms: float | None
    #: The verdict in words.
    words: str
    #: There were fewer failures with it, but too few requests to be sure.
    hopeful: bool = False

    @property
    def recommended(self) -> bool:
        """It is safe, and there are fewer failures with it."""
        return not self.unsafe and self.effect in (Effect.CURED, Effect.HELPED)


@dataclass(frozen=True)
class Unable:
    """A remedy that could not be tried, and why."""

    remedy: Remedy
    reason: str


@dataclass(frozen=True)
class Comparison:
    """All remedies of one scenario, the best safe one first."""

    run: Run
    baseline: Result
    results: tuple[Result, ...]
    unable: tuple[Unable, ...] = ()
    #: Remedies that change nothing in this scenario.
    inapplicable: tuple[str, ...] = ()

    @property
    def best(self) -> Result | None:
        """The one to recommend; None where nothing safe helps."""
        return next((result for result in self.results if result.recommended), None)

    @property
    def hopeful(self) -> tuple[Result, ...]:
        """Safe ones that more requests might show to help."""
        return tuple(result for result in self.results if result.hopeful and not result.unsafe)

    @property
    def times_more(self) -> int | None:
        """So many times the requests would tell of the first hopeful one, if rates stay; None: too many."""
        if not self.hopeful:
            return None
        now, before = self.hopeful[0].figures, self.baseline.figures
        return next((times for times in range(2, MOST_TIMES + 1) if _parts(now, before, times)), None)


def _parts(now: Figures, before: Figures, times: int) -> bool:
    """With ``times`` the requests, and such rates, the intervals of what went unanswered or failed part."""
    return any(
        wilson(times * few, times * now.requests)[1] < wilson(times * many, times * before.requests)[0]
        for few, many in ((now.failures, before.failures), (now.unanswered, before.unanswered))
    )


def figures_of(summary: Summary) -> Figures:
    """Count ``summary``."""
    run, done = summary.run, summary.processed
    waits = sorted(_waited_ms(request) for request in run.requests if request.ok)
    opened = {
        try_.connection
        for request in run.requests
        for try_ in request.attempts
        if try_.sent is not None  # else it was refused, or never came about
    } - {None}
    carried_out = [(times, count) for row in summary.rows for times, count in row.carried_out.items()]
    return Figures(
        requests=len(run.requests),
        failures=sum(row.failure for row in summary.rows),
        answered=sum(row.outcomes[Outcome.HTTP_ERROR] for row in summary.rows),
        lost=None if done is None else done.lost,
        once=None if done is None else done.once,
        more=None if done is None else done.more,
        extra=None if done is None else sum((times - 1) * count for times, count in carried_out if times > 1),
        attempts=sum(row.attempts for row in summary.rows),
        connections=len(opened),
        served=None if done is None else sum(event.kind == Kind.REQUEST for event in run.events),
        median_ms=quantile(waits, 0.5) if waits else None,
        p99_ms=quantile(waits, 0.99) if waits else None,
        struck=sum(_struck(run.events)),
        whole=not run.interrupted,
    )


def _struck(events: Sequence[ConnectionEvent]) -> Iterator[bool]:
    """For each planned fault but those that met a ping: whether no reuse of a connection brings it about."""
    last: dict[int | None, str | None] = {}
    for event in events:
        if event.kind == Kind.REQUEST:
            last[event.connection] = event.request_id
        elif event.kind == Kind.FAULT and last.get(event.connection, "") is not None:
            yield event.how == Ending.KILL or event.reason in _CARRIED_OUT


def _waited_ms(request: Request) -> float:
    first = request.attempts[0]
    began = first.began if first.planned is None else first.planned
    return (request.last.ended - began) * 1000


def judge(remedy: Remedy, figures: Figures, baseline: Figures, method: str) -> Result:
    """What ``remedy`` did, beside the run without it."""
    comparable = figures.whole and baseline.whole and not _evades(figures, baseline)
    effect = _effect(figures, baseline) if comparable else Effect.SAME
    unsafe = method not in IDEMPOTENT and (remedy.repeats or bool(figures.more))
    return Result(
        remedy,
        figures,
        effect,
        unsafe,
        _added(figures.median_ms, baseline.median_ms),
        _added(figures.p99_ms, baseline.p99_ms),
        "; ".join(_words(remedy, figures, baseline, effect, method)),
        comparable and effect is Effect.SAME and _hopeful(figures, baseline),
    )


def _added(now_ms: float | None, before_ms: float | None) -> float | None:
    return None if now_ms is None or before_ms is None else now_ms - before_ms


def _effect(figures: Figures, baseline: Figures) -> Effect:
    """Fewer or more only where the intervals of the two rates do not overlap."""
    (low, high), (base_low, base_high) = figures.interval95, baseline.interval95
    if high < base_low:
        return Effect.HELPED if figures.failures else Effect.CURED
    if low > base_high:
        return Effect.WORSE
    return Effect.HELPED if _answers_instead(figures, baseline) else Effect.SAME


def _answers_instead(figures: Figures, baseline: Figures) -> bool:
    """As many fail, but the client reads why, where it met the end of its connection before."""
    _, high = wilson(figures.unanswered, figures.requests)
    base_low, _ = wilson(baseline.unanswered, baseline.requests)
    return high < base_low


def _evades(figures: Figures, baseline: Figures) -> bool:
    """The scenario's fault struck without the remedy, and never with it, though no new connection cures it.

    A scenario counts the requests of a connection to have its fault when a client is at work. With a new
    connection for each request the count is never reached; what the fault stands for would come all the same.
    """
    return bool(baseline.struck) and not figures.struck


def _hopeful(figures: Figures, baseline: Figures) -> bool:
    if _half(figures, baseline):
        return True
    fewer = figures.rate < baseline.rate and _differ(figures, baseline)
    return fewer or _perhaps_answers_instead(figures, baseline)


def _half(figures: Figures, baseline: Figures) -> bool:
    """So much better that it would be a remedy, were it not by chance."""
    return bool(baseline.failures) and 2 * figures.rate <= baseline.rate


def _differ(figures: Figures, baseline: Figures) -> bool:
    return differ(figures.failures, figures.requests, baseline.failures, baseline.requests)


def _perhaps_answers_instead(figures: Figures, baseline: Figures) -> bool:
    now, before = figures.unanswered, baseline.unanswered
    return now * baseline.requests < before * figures.requests and differ(
        now, figures.requests, before, baseline.requests
    )


def _words(remedy: Remedy, figures: Figures, baseline: Figures, effect: Effect, method: str) -> list[str]:
    words = [_of_the_failures(figures, baseline, effect)]
    if figures.more:
        twice = f"{figures.more} of {figures.requests} carried out more than once"
        words.append(f"{twice}, which {method} allows" if method in IDEMPOTENT else f"UNSAFE: {twice}")
    elif remedy.repeats and method not in IDEMPOTENT:
        seen = (
            "" if figures.more is None else ", though it did not here"
        )  # a server of the user's has no ledger
        words.append(f"UNSAFE for {method}: it may repeat what was carried out{seen}")
    return words


def _of_the_failures(figures: Figures, baseline: Figures, effect: Effect) -> str:
    if not (figures.whole and baseline.whole):
        return "interrupted before the end: too soon to tell"
    if effect is Effect.CURED:
        return f"cures it{_price(figures, baseline)}"
    if effect is Effect.HELPED:
        if figures.interval95[1] >= baseline.interval95[0]:
            return "helps: the client reads the error, in place of a reset"
        return f"helps: {baseline.rate:.1%} become {figures.rate:.1%}"
    if effect is Effect.WORSE:
        return f"makes it worse: {baseline.rate:.1%} become {figures.rate:.1%}"
    if not baseline.failures and not figures.failures:
        return "nothing fails without it"
    if _evades(figures, baseline):
        return "cannot be told: the planned fault goes by the count of a connection's requests, and met none"
    if _differ(figures, baseline):
        return (
            "too few requests to be sure: "
            + ("fewer" if figures.rate < baseline.rate else "more")
            + " failed"
        )
    if not baseline.failures:
        return "too few requests to tell: some failed, and none without it"
    if figures.failures < baseline.failures and not figures.failures:
        return "too few requests to tell: none failed, and by chance none might"
    if _half(figures, baseline):
        return "too few requests to tell: half as many failed or fewer, and by chance they might"
    if _perhaps_answers_instead(figures, baseline):
        return "too few requests to be sure: the client read the error, in place of a reset"
    return "does not help"


def _price(figures: Figures, baseline: Figures) -> str:
    """What a cure was seen to cost, the dearest part of it."""
    added = _added(figures.p99_ms, baseline.p99_ms)
    more = figures.connections - baseline.connections
    if added is not None and added > NOTICED_MS:
        return f", {added:.0f} ms later at p99"
    if figures.served is not None and baseline.served and figures.served > 1.5 * figures.requests:
        return f", {figures.served / figures.requests:.1f} requests for each"
    return f", {more} {'connection' if more == 1 else 'connections'} more" if more > 0 else ""


def baseline_result(figures: Figures) -> Result:
    """The run without a remedy."""
    said = f"{figures.failures} of {figures.requests} fail"
    return Result(Remedy("none", "nothing is done", ""), figures, Effect.NONE, False, None, None, said)


def ranked(results: list[Result]) -> tuple[Result, ...]:
    """The best safe one first: what leaves fewer failures, then what repeats less, then what costs less."""
    return tuple(sorted(results, key=_rank))


def _rank(result: Result) -> tuple[object, ...]:
    figures = result.figures
    return (
        result.unsafe,
        0 if result.recommended else 1 if result.hopeful else 2,
        figures.rate,  # not the count: an interrupted run has fewer requests
        figures.more or 0,
        _of_a_kind(result.added_median_ms),
        figures.attempts,
        figures.connections,
        figures.served or 0,
        result.remedy.name,
    )


def _of_a_kind(added_ms: float | None) -> int:
    """Latencies nearer to each other than the machine's own noise are alike."""
    return 0 if added_ms is None else max(0, round(added_ms / 10))
