"""``econnlab probe``: a look at the server, then visits whose moments the search decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from econnlab.attribution.statistics import quantile
from econnlab.commands.probe.asking.loop import ExactLoop, Task, Wait
from econnlab.commands.probe.asking.talk import Failed, Stage
from econnlab.commands.probe.asking.target import Target, user_agent
from econnlab.commands.probe.asking.visits import (
    TOO_MANY_REQUESTS,
    Looked,
    Throttled,
    crowd,
    look,
    series,
    trial,
    trial_at,
    watch,
)
from econnlab.commands.probe.budget import Budget, Share
from econnlab.commands.probe.judging.search import AT_ONCE_S, CLOSES, MOST, Search
from econnlab.commands.probe.problems import problem, untrusted
from econnlab.commands.probe.resolving import targets, trusting_context
from econnlab.commands.probe.seen import Crowd, Precision, Probed, Series, Visit
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.lab.limits import SPARE, ensure_descriptors
from econnlab.record.attempts import Outcome
from econnlab.scenario.durations import seconds
from econnlab.system.clock import now

#: Connections on which nothing is sent after the response, to see when the server closes.
WATCHERS = 10
#: Connections are opened so far apart: their second requests are then due as far apart, and not together.
PACE_S = 0.02
#: A probe takes no longer than this many times the idle timeout, and a while.
_MOST_TIMEOUTS, _WHILE_S = 2.4, 3.5
#: Requests of a visit; one comes back where the second was not sent.
_EACH = 2
#: Requests one after another on one connection are at most one in so many of all.
_SERIES_SHARE = 4
#: How long a connection is watched of which the server has said that it closes it.
_CLOSES_WITHIN_S = 0.5
#: So many connections in a row that come to no response end the probe.
_MOST_FAILURES = 20
#: A silent end is narrowed down to this share of the idle time, in at most so many passes.
_NARROW_SHARE, _MOST_PASSES = 0.005, 4
_LEAST_WIDTH_S = 0.005


class Probe:
    """One probe of a server. ``progress`` is told the stage and the requests sent so far, often."""

    def __init__(self, spec: ProbeSpec, progress: Callable[[str, int], None] = lambda *_: None) -> None:
        self._spec = spec
        self._progress = progress
        self._timeout_s = seconds(spec.timeout_ms)
        self._max_wait_s = seconds(spec.max_wait_ms)
        self._budget = Budget(spec.budget)
        self._search = Search()
        self._loop: ExactLoop | None = None
        self._looked = Looked()
        self._began = now()
        #: No more than these at a time: fewer than asked for where the server takes no more.
        self._allowed = spec.connections
        self._watching = self._trying = 0
        self._watched = 0
        self._failures: list[Outcome] = []
        self._failed_in_a_row = 0
        self._shortest_s = math.inf
        self._series: Series | None = None
        self._crowd: Crowd | None = None
        self._stage = "looking"
        self._interrupted = self._throttled = False
        #: Resolved, which may take a while.
        self.targets = targets(spec)
        self._target = self.targets[0]

    def stop(self) -> None:
        """End soon, with what there is; may be called from a signal handler."""
        self._interrupted = True
        if self._loop is not None:
            self._loop.stop()

    def run(self) -> Probed:
        """Look, visit, conclude nothing. Raises EconnlabError where there is no answer to a first request."""
        most = max(self._spec.connections, self._spec.max_connections or 0)
        ensure_descriptors(most + SPARE, "ask for fewer connections")
        with ExactLoop() as loop:
            self._loop = loop
            if self._interrupted:
                loop.stop()
            loop.work = self._work
            try:
                self._look(loop)
                if self._looked.head is not None and self._looked.head.persistent:
                    self._visit(loop)
                if self._spec.max_connections is not None:
                    self._gather(loop, self._spec.max_connections)
            except Throttled:
                self._throttled = True
        return self._probed()

    def _work(self) -> None:
        if self._search.refresh() and self._loop is not None:
            self._loop.announce()
        self._progress(self._stage, self._budget.taken)

    # -- a first look -----------------------------------------------------------------------------

    def _look(self, loop: ExactLoop) -> None:
        failure: Failed | None = None
        for target in self.targets:
            self._target = target
            failure = self._look_at(loop, target)
            if failure is None or failure.stage is not Stage.CONNECT:
                break
        complaint = ""
        if failure is not None and failure.untrusted:
            if not self._spec.insecure:
                raise untrusted(self._target, failure.detail)
            complaint = failure.detail
            self._target = replace(self._target, tls=trusting_context(insecure=True))
            failure = self._look_at(loop, self._target)
        if failure is not None:
            raise problem(self._target, failure, self._timeout_s)
        security = self._looked.security
        if security is not None:
            self._looked.security = replace(security, complaint=complaint)
        if self._looked.head is not None and self._looked.head.status == TOO_MANY_REQUESTS:
            raise Throttled

    def _look_at(self, loop: ExactLoop, target: Target) -> Failed | None:
        self._budget.take()
        self._looked = Looked()
        loop.start(look(target, self._timeout_s, _CLOSES_WITHIN_S, self._looked))
        loop.run()
        failure = self._looked.failure
        if failure is not None and failure.stage in (Stage.CONNECT, Stage.TLS):
            self._budget.give_back()
        return failure

    # -- visits -----------------------------------------------------------------------------------

    def _visit(self, loop: ExactLoop) -> None:
        self._stage = "waiting for the server to close"
        self._visits_began = now()
        if self._spec.requests_per_connection:
            loop.start(self._serial())
        loop.start(self._opening(loop))
        loop.run()
        if not self._interrupted and not self._search.closes_s:
            self._narrow(loop)

    def _serial(self) -> Task:
        wanted = self._spec.requests_per_connection
        share = Share(self._budget, self._budget.total // _SERIES_SHARE)
        return series(self._target, self._timeout_s, wanted, share, self._told_series)

    def _told_series(self, done: Series) -> None:
        self._series = done

    def _opening(self, loop: ExactLoop) -> Task:
        """Opens connections one after another, as many as are of use, until no more are."""
        while not self._settled():
            yield Wait(until=now() + PACE_S)
            if self._watching + self._trying >= self._allowed or self._failed_in_a_row > _MOST_FAILURES:
                continue
            if self._more_watchers() and self._budget.take(_EACH):
                self._watching += 1
                self._watched += 1
                loop.start(
                    watch(
                        self._target, self._timeout_s, self._max_wait_s, self._told_watch, self._not_watched
                    )
                )
            elif self._more_trials() and self._budget.take(_EACH):
                self._trying += 1
                loop.start(
                    trial(
                        self._target,
                        self._timeout_s,
                        self._max_wait_s,
                        self._search,
                        self._told_trial,
                        self._not_tried,
                    )
                )

    def _more_watchers(self) -> bool:
        return self._watched < min(WATCHERS, max(CLOSES, self._spec.connections // 2))

    def _more_trials(self) -> bool:
        search = self._search
        if search.enough or self._hopeless():
            return False
        closes = search.closes_s
        if closes:
            late = now() + closes[-1] > self._visits_began + _MOST_TIMEOUTS * closes[-1] + _WHILE_S
            if late or closes[len(closes) // 2] < AT_ONCE_S:
                return False
        # As many as may be needed: those that turn out not to be end without a second request.
        return self._trying < MOST - search.trials

    def _settled(self) -> bool:
        """Nothing is under way, and nothing more is to be opened."""
        if self._watching or self._trying:
            return False
        if self._failed_in_a_row > _MOST_FAILURES or self._budget.left < _EACH:
            return True
        return not self._more_watchers() and not self._more_trials()

    def _hopeless(self) -> bool:
        """All the watchers are back, and too few have seen a close to aim at."""
        more = self._more_watchers() and self._budget.left >= _EACH
        return not self._watching and not more and len(self._search.closes_s) < CLOSES

    def _told_watch(self, visit: Visit) -> None:
        self._watching -= 1
        self._told(visit)
        if self._hopeless():
            self._give_up()
        elif self._search.closes_s:
            self._stage = "probing the window"

    def _told_trial(self, visit: Visit) -> None:
        self._trying -= 1
        self._told(visit)

    def _told(self, visit: Visit) -> None:
        self._failed_in_a_row = 0
        if not visit.asked:
            self._budget.give_back()
        # A response that took no longer than the shortest cannot have waited for us to look.
        self._shortest_s = min(self._shortest_s, visit.took_s)
        slack_s = min(visit.slack_s, visit.took_s - self._shortest_s)
        self._search.add(replace(visit, slack_s=slack_s))

    def _give_up(self) -> None:
        self._search.give_up()
        if self._loop is not None:
            self._loop.announce()

    def _not_watched(self, failure: Failed) -> None:
        self._watching -= 1
        self._watched -= 1
        self._not_visited(failure)

    def _not_tried(self, failure: Failed) -> None:
        self._trying -= 1
        self._not_visited(failure)

    def _not_visited(self, failure: Failed) -> None:
        self._budget.give_back()
        self._failures.append(failure.outcome)
        self._failed_in_a_row += 1
        # It may be full: whatever is under way now is what it takes.
        self._allowed = max(1, min(self._allowed, self._watching + self._trying))
        if self._failed_in_a_row > _MOST_FAILURES and not self._watching:
            self._give_up()

    # -- an end that cannot be seen ---------------------------------------------------------------

    def _narrow(self, loop: ExactLoop) -> None:
        """Where idle connections die without a word: passes of trials, each between the ends of the last."""
        for _ in range(_MOST_PASSES):
            bracket = self._bracket()
            if bracket is None or self._interrupted:
                return
            low, high = bracket
            if high - low <= max(_LEAST_WIDTH_S, _NARROW_SHARE * high):
                return
            self._stage = f"between {low:.4g} and {high:.4g} s of silence"
            # Half of what is left, so that another pass can follow.
            places = min(self._allowed, max(1, self._budget.left // 4))
            if self._budget.left < _EACH:
                self._budget.take(_EACH)  # which notes that more was wanted
                return
            for place in range(1, places + 1):
                self._budget.take(_EACH)
                self._trying += 1
                idle_s = low + (high - low) * place / (places + 1)
                loop.start(trial_at(self._target, self._timeout_s, idle_s, self._told_trial, self._not_tried))
            loop.run()

    def _bracket(self) -> tuple[float, float] | None:
        """The longest silence that did no harm, below the shortest that did; None where none did."""
        asked = [(v.idle_s, v.lost) for v in self._search.visits if v.idle_s is not None]
        high = min((idle_s for idle_s, lost in asked if lost), default=math.inf)
        if math.isinf(high):
            return None
        return max((idle_s for idle_s, lost in asked if not lost and idle_s < high), default=0.0), high

    # -- many at once -----------------------------------------------------------------------------

    def _gather(self, loop: ExactLoop, wanted: int) -> None:
        self._stage = "counting connections"
        loop.start(crowd(self._target, self._timeout_s, wanted, self._budget, self._told_crowd))
        loop.run()

    def _told_crowd(self, done: Crowd) -> None:
        self._crowd = done

    # -- what there is ----------------------------------------------------------------------------

    def _probed(self) -> Probed:
        head = self._looked.head
        if head is None:  # stopped before there was an answer
            raise KeyboardInterrupt
        return Probed(
            self._spec.url,
            self._spec.method,
            self._target.address,
            user_agent(),
            self._spec.budget,
            self._budget.taken,
            self._spec.connections,
            self._max_wait_s,
            now() - self._began,
            head,
            self._looked.security,
            self._looked.closing,
            tuple(self._search.visits),
            tuple(self._failures),
            self._series,
            self._crowd,
            self._precision(),
            self._interrupted,
            self._throttled,
            self._budget.exceeded,
        )

    def _precision(self) -> Precision | None:
        late = sorted(visit.late_s for visit in self._search.visits if visit.asked)
        if not late:
            return None
        discarded = sum(visit.asked and not visit.exact for visit in self._search.visits)
        return Precision(len(late), quantile(late, 0.5), quantile(late, 0.99), discarded)
