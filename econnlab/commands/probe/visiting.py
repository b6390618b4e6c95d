"""The visits of a probe: opened as they are of use, until the window is known or the budget used up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from econnlab.commands.probe.asking.loop import ExactLoop, Task, Wait
from econnlab.commands.probe.asking.steps import Step, StepFailed
from econnlab.commands.probe.asking.visits import Visitor
from econnlab.commands.probe.budget import Budget
from econnlab.commands.probe.judging.search import AT_ONCE_S, CLOSES, MOST, Search
from econnlab.commands.probe.seen import ProbeVisit
from econnlab.record.attempts import Outcome
from econnlab.system.clock import now

#: Connections on which nothing is sent after the response, to see when the server closes them.
WATCHERS = 10
#: Connections are opened so far apart, so that their second requests are due as far apart, not together.
PACE_S = 0.02
#: The visits take no longer than this many times the idle timeout, and a while.
_MOST_TIMEOUTS, _WHILE_S = 2.4, 3.5
#: Requests of a visit; one is given back if the second was not sent.
EACH = 2
#: So many connections in a row without a response end the probe.
_MOST_FAILURES = 20
#: A silent end is narrowed down to this share of the idle time, in at most so many passes.
_NARROW_SHARE, _MOST_PASSES = 0.005, 4
_LEAST_WIDTH_S = 0.005


class Visiting:
    """Makes visits; ``stage`` tells what it is doing, ``search`` has what was seen."""

    def __init__(self, visitor: Visitor, connections: int, budget: Budget, loop: ExactLoop) -> None:
        self._visitor = visitor
        self._connections = connections
        self._budget = budget
        self._loop = loop
        self.search = Search()
        self.stage = "waiting for the server to close"
        self.failures: list[Outcome] = []
        self._failed_in_a_row = 0
        self._watching = self._trying = self._watched = 0
        #: At most so many at a time: fewer than asked for if the server takes no more.
        self._allowed = connections
        self._shortest_s = math.inf
        self._began = now()

    def work(self) -> None:
        """Estimate anew, between sends."""
        if self.search.refresh():
            self._loop.announce()

    def opening(self) -> Task:
        """Opens connections one after another, as many as are of use, until no more are."""
        while not self._settled():
            yield Wait(until=now() + PACE_S)
            if self._watching + self._trying >= self._allowed or self._failing:
                continue
            if self._more_watchers() and self._budget.take(EACH):
                self._loop.start(self._watch())
            elif self._more_trials() and self._budget.take(EACH):
                self._loop.start(self._try(self._visitor.trial(self.search)))

    @property
    def _failing(self) -> bool:
        return self._failed_in_a_row > _MOST_FAILURES

    def _more_watchers(self) -> bool:
        return self._watched < min(WATCHERS, max(CLOSES, self._connections // 2))

    def _more_trials(self) -> bool:
        search = self.search
        if search.enough or self._hopeless():
            return False
        closes = search.closes_s
        if closes:
            late = now() + closes[-1] > self._began + _MOST_TIMEOUTS * closes[-1] + _WHILE_S
            if late or closes[len(closes) // 2] < AT_ONCE_S:
                return False
        # As many as may be needed: those that turn out to be superfluous end without a second request.
        return self._trying < MOST - search.trials

    def _settled(self) -> bool:
        """Nothing is under way, and nothing more is to be opened."""
        if self._watching or self._trying:
            return False
        if self._failing or self._budget.left < EACH:
            return True
        return not self._more_watchers() and not self._more_trials()

    def _hopeless(self) -> bool:
        """All watchers are back, and too few have seen a close to aim at."""
        more = self._more_watchers() and self._budget.left >= EACH
        return not self._watching and not more and len(self.search.closes_s) < CLOSES

    # -- one visit --------------------------------------------------------------------------------

    def _watch(self) -> Task:
        self._watching += 1
        self._watched += 1
        visit = yield from self._caught(self._visitor.watch())
        self._watching -= 1
        if visit is None:
            self._watched -= 1
            self._not_visited()
            return
        self._add(visit)
        if self._hopeless():
            self._give_up()
        elif self.search.closes_s:
            self.stage = "probing the window"

    def _try(self, trial: Step[ProbeVisit]) -> Task:
        self._trying += 1
        visit = yield from self._caught(trial)
        self._trying -= 1
        if visit is None:
            self._not_visited()
        else:
            self._add(visit)

    def _caught(self, visit: Step[ProbeVisit]) -> Step[ProbeVisit | None]:
        try:
            return (yield from visit)
        except StepFailed as failure:
            self.failures.append(failure.outcome)
            return None

    def _add(self, visit: ProbeVisit) -> None:
        self._failed_in_a_row = 0
        if not visit.asked:
            self._budget.give_back()
        # A response that took no longer than the shortest cannot have waited for us to look.
        self._shortest_s = min(self._shortest_s, visit.took_s)
        slack_s = min(visit.slack_s, visit.took_s - self._shortest_s)
        self.search.add(replace(visit, slack_s=slack_s))

    def _not_visited(self) -> None:
        self._budget.give_back()
        self._failed_in_a_row += 1
        # The server may be full, and then takes what is under way now, and no more.
        self._allowed = max(1, min(self._allowed, self._watching + self._trying))
        if self._failing and not self._watching:
            self._give_up()

    def _give_up(self) -> None:
        self.search.give_up()
        self._loop.announce()

    # -- an end that cannot be seen ---------------------------------------------------------------

    def narrow(self, stopped: Callable[[], bool]) -> None:
        """If idle connections die silently: passes of trials, each between the ends found by the last."""
        for _ in range(_MOST_PASSES):
            bracket = self._bracket()
            if bracket is None or stopped():
                return
            low, high = bracket
            if high - low <= max(_LEAST_WIDTH_S, _NARROW_SHARE * high):
                return
            self.stage = f"between {low:.4g} and {high:.4g} s of silence"
            # Half of what is left, so that another pass can follow.
            places = min(self._allowed, max(1, self._budget.left // 4))
            for place in range(1, places + 1):
                if not self._budget.take(EACH):
                    return
                idle_s = low + (high - low) * place / (places + 1)
                self._loop.start(self._try(self._visitor.trial_at(idle_s)))
            self._loop.run()

    def _bracket(self) -> tuple[float, float] | None:
        """The longest silence that did no harm, below the shortest that did; None if none did."""
        asked = [(v.idle_s, v.lost) for v in self.search.visits if v.idle_s is not None]
        high = min((idle_s for idle_s, lost in asked if lost), default=math.inf)
        if math.isinf(high):
            return None
        return max((idle_s for idle_s, lost in asked if not lost and idle_s < high), default=0.0), high
