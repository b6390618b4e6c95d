"""The verdict over one remedy: its run beside the run without any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from econnlab.attribution.statistics import differ, wilson
from econnlab.commands.remedies.figures import Figures
from econnlab.scenario.server import IDEMPOTENT

#: A latency that users notice, beyond the noise of a busy machine.
NOTICED_MS = 50.0


@dataclass(frozen=True)
class Remedy:
    """One remedy, or the run without any."""

    name: str
    help: str
    price: str
    #: Its rule allows that a request is carried out again after it was carried out, whatever the method.
    repeats: bool = False


class Effect(StrEnum):
    """What a remedy did to the failures."""

    NONE = "none"  # the run without a remedy
    CURED = "cured"
    HELPED = "helped"
    SAME = "same"
    WORSE = "worse"


@dataclass(frozen=True)
class Result:
    """A remedy, its run, and the difference to the run without any."""

    remedy: Remedy
    figures: Figures
    effect: Effect
    #: It carried a request out twice, or may do so, and the method does not allow that.
    unsafe: bool
    #: None if one of the two runs had no success.
    added_median_ms: float | None
    added_p99_ms: float | None
    #: The verdict in words.
    words: str
    #: Fewer requests failed with it, but too few were sent to be sure.
    hopeful: bool = False

    @property
    def recommended(self) -> bool:
        """It is safe, and fewer requests fail with it."""
        return not self.unsafe and self.effect in (Effect.CURED, Effect.HELPED)


def judge(remedy: Remedy, figures: Figures, baseline: Figures, method: str) -> Result:
    """What ``remedy`` did, beside the run without it."""
    beside = _Beside(figures, baseline)
    safe = method in IDEMPOTENT or not (remedy.repeats or figures.more)
    words = [beside.words, *_of_repetitions(remedy, figures, method)]
    return Result(
        remedy,
        figures,
        beside.effect,
        not safe,
        _added(figures.median_ms, baseline.median_ms),
        _added(figures.p99_ms, baseline.p99_ms),
        "; ".join(words),
        beside.comparable and beside.effect is Effect.SAME and beside.hopeful,
    )


def without_remedy(figures: Figures) -> Result:
    """The run without a remedy."""
    said = f"{figures.failures} of {figures.requests} fail"
    return Result(Remedy("none", "nothing is done", ""), figures, Effect.NONE, False, None, None, said)


def _added(now_ms: float | None, before_ms: float | None) -> float | None:
    return None if now_ms is None or before_ms is None else now_ms - before_ms


def _of_repetitions(remedy: Remedy, figures: Figures, method: str) -> Iterator[str]:
    if figures.more:
        twice = f"{figures.more} of {figures.requests} carried out more than once"
        yield f"{twice}, which {method} allows" if method in IDEMPOTENT else f"UNSAFE: {twice}"
    elif remedy.repeats and method not in IDEMPOTENT:
        seen = "" if figures.more is None else ", though it did not here"  # your server has no ledger
        yield f"UNSAFE for {method}: it may repeat what was carried out{seen}"


class _Beside:
    """The run with a remedy, ``now``, beside the run without it, ``before``."""

    def __init__(self, now: Figures, before: Figures) -> None:
        self.now = now
        self.before = before
        self.whole = now.whole and before.whole
        #: The scenario's fault happened without the remedy and never with it, though new connections do not
        #: cure it. A scenario counts the requests of a connection to hit a client at work. With a new
        #: connection for each request the count is never reached, but what the fault stands for would happen
        #: all the same.
        self.evades = bool(before.struck) and not now.struck
        self.comparable = self.whole and not self.evades

    @cached_property
    def effect(self) -> Effect:
        """Fewer or more only if the intervals of the two rates do not overlap."""
        now, before = self.now.interval95, self.before.interval95
        if not self.comparable:
            return Effect.SAME
        if now[1] < before[0]:
            return Effect.HELPED if self.now.failures else Effect.CURED
        if now[0] > before[1]:
            return Effect.WORSE
        return Effect.HELPED if self._answers_instead else Effect.SAME

    @property
    def _answers_instead(self) -> bool:
        """As many fail, but the client reads why; before, it met the end of its connection."""
        now, before = self.now, self.before
        return wilson(now.unanswered, now.requests)[1] < wilson(before.unanswered, before.requests)[0]

    @property
    def hopeful(self) -> bool:
        """More requests might show that it helps."""
        fewer = self.now.rate < self.before.rate and self._differ
        return self._half or fewer or self._perhaps_answers_instead

    @property
    def _half(self) -> bool:
        """So much better that it would be a remedy if it were not by chance."""
        return bool(self.before.failures) and 2 * self.now.rate <= self.before.rate

    @property
    def _differ(self) -> bool:
        now, before = self.now, self.before
        return differ(now.failures, now.requests, before.failures, before.requests)

    @property
    def _perhaps_answers_instead(self) -> bool:
        now, before = self.now, self.before
        fewer = now.unanswered * before.requests < before.unanswered * now.requests
        return fewer and differ(now.unanswered, now.requests, before.unanswered, before.requests)

    @property
    def words(self) -> str:
        """What became of the failures."""
        now, before = self.now, self.before
        if not self.whole:
            return "interrupted before the end: too soon to tell"
        if self.effect is Effect.CURED:
            return f"cures it{self._price}"
        if self.effect is Effect.HELPED and now.interval95[1] >= before.interval95[0]:
            return "helps: the client reads the error, in place of a reset"
        if self.effect is not Effect.SAME:
            how = "helps" if self.effect is Effect.HELPED else "makes it worse"
            return f"{how}: {before.rate:.1%} become {now.rate:.1%}"
        if not before.failures and not now.failures:
            return "nothing fails without it"
        if self.evades:
            return (
                "cannot be told: the planned fault goes by the count of a connection's requests, and met none"
            )
        return self._of_too_few or "does not help"

    @property
    def _of_too_few(self) -> str:
        """What cannot be told apart from chance; empty if there is no such thing."""
        now, before = self.now, self.before
        if self._differ:
            fewer = "fewer" if now.rate < before.rate else "more"
            return f"too few requests to be sure: {fewer} failed"
        if not before.failures:
            return "too few requests to tell: some failed, and none without it"
        if not now.failures:
            return "too few requests to tell: none failed, and by chance none might"
        if self._half:
            return "too few requests to tell: half as many failed or fewer, and by chance they might"
        if self._perhaps_answers_instead:
            return "too few requests to be sure: the client read the error, in place of a reset"
        return ""

    @property
    def _price(self) -> str:
        """The highest cost that was seen."""
        now, before = self.now, self.before
        added = _added(now.p99_ms, before.p99_ms)
        more = now.connections - before.connections
        if added is not None and added > NOTICED_MS:
            return f", {added:.0f} ms later at p99"
        if now.served is not None and before.served and now.served > 1.5 * now.requests:
            return f", {now.served / now.requests:.1f} requests for each"
        return f", {more} {'connection' if more == 1 else 'connections'} more" if more > 0 else ""
