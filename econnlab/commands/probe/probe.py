"""``econnlab probe``: a look at the server, then visits whose moments the search decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from econnlab.attribution.statistics import quantile
from econnlab.commands.probe.asking.loop import ExactLoop, Task
from econnlab.commands.probe.asking.others import Look, crowd, look, series
from econnlab.commands.probe.asking.steps import Phase, Step, StepFailed, Why
from econnlab.commands.probe.asking.target import ProbeTarget, user_agent
from econnlab.commands.probe.asking.visits import TOO_MANY_REQUESTS, Throttled, Visitor
from econnlab.commands.probe.budget import Budget, Share
from econnlab.commands.probe.problems import problem, untrusted
from econnlab.commands.probe.resolving import targets, trusting_context
from econnlab.commands.probe.seen import Crowd, Precision, Probed, ProbeVisit, Series
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.commands.probe.visiting import Visiting
from econnlab.lab.limits import SPARE, ensure_descriptors
from econnlab.scenario.durations import seconds
from econnlab.system.clock import now

#: Requests one after another on one connection are at most one in so many of all.
_SERIES_SHARE = 4
#: If the server announced the end of a connection, it is watched for so long.
_CLOSES_WITHIN_S = 0.5


class Probe:
    """One probe of a server. ``progress`` gets the stage and the number of requests sent so far, often."""

    def __init__(self, spec: ProbeSpec, progress: Callable[[str, int], None] = lambda *_: None) -> None:
        self._spec = spec
        self._progress = progress
        self._timeout_s = seconds(spec.timeout_ms)
        self._budget = Budget(spec.budget, spec.byte_budget)
        self._loop: ExactLoop | None = None
        self._looked: Look | None = None
        self._visiting: Visiting | None = None
        self._began = now()
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
        """Look and visit; ``conclude`` judges. Raises EconnlabError if the first request gets no answer."""
        most = max(self._spec.connections, self._spec.max_connections or 0)
        ensure_descriptors(most + SPARE, "ask for fewer connections")
        with ExactLoop() as loop:
            self._loop = loop
            if self._interrupted:
                loop.stop()
            loop.work = self._work
            try:
                looked = self._look(loop)
                if looked.head.persistent:
                    self._visit(loop)
                if self._spec.max_connections is not None:
                    self._stage = "counting connections"
                    loop.start(self._gather(self._spec.max_connections))
                    loop.run()
            except Throttled:
                self._throttled = True
        return self._probed()

    def _work(self) -> None:
        if self._visiting is not None:
            self._visiting.work()
            self._stage = self._visiting.stage
        self._progress(self._stage, self._budget.taken)

    # -- a first look -----------------------------------------------------------------------------

    def _look(self, loop: ExactLoop) -> Look:
        found: Look | StepFailed | None = None
        for target in self.targets:
            self._target = target
            found = self._look_at(loop, target)
            if not isinstance(found, StepFailed) or found.phase is not Phase.CONNECT:
                break
        complaint = ""
        if isinstance(found, StepFailed) and found.why is Why.UNTRUSTED:
            complaint = found.detail
            if not self._spec.insecure:
                raise untrusted(self._target, complaint)
            self._target = replace(self._target, tls=trusting_context(insecure=True))
            found = self._look_at(loop, self._target)
        if isinstance(found, StepFailed):
            raise problem(self._target, found, self._timeout_s)
        if found is None:  # stopped before there was an answer
            raise KeyboardInterrupt
        if found.security is not None:
            found = replace(found, security=replace(found.security, complaint=complaint))
        self._looked = found
        if found.head.status == TOO_MANY_REQUESTS:
            raise Throttled
        self._budget.each_brings(found.head.body_bytes)
        return found

    def _look_at(self, loop: ExactLoop, target: ProbeTarget) -> Look | StepFailed | None:
        """What the look at ``target`` found; None if it was stopped."""
        self._budget.take()
        found: list[Look | StepFailed] = []
        loop.start(self._looking(target, found))
        loop.run()
        if not found:
            return None
        if isinstance(found[0], StepFailed) and found[0].phase in (Phase.CONNECT, Phase.TLS):
            self._budget.give_back()
        return found[0]

    def _looking(self, target: ProbeTarget, found: list[Look | StepFailed]) -> Task:
        try:
            found.append((yield from look(target, self._timeout_s, _CLOSES_WITHIN_S)))
        except StepFailed as failure:
            found.append(failure)

    # -- visits, many requests, many connections --------------------------------------------------

    def _visit(self, loop: ExactLoop) -> None:
        visitor = Visitor(self._target, self._timeout_s, seconds(self._spec.max_wait_ms))
        visiting = self._visiting = Visiting(visitor, self._spec.connections, self._budget, loop)
        if self._spec.requests_per_connection:
            loop.start(self._serial(self._spec.requests_per_connection))
        loop.start(visiting.opening())
        loop.run()
        if not self._interrupted and not visiting.search.closes_s:
            visiting.narrow(lambda: self._interrupted)

    def _serial(self, wanted: int) -> Step[None]:
        share = Share(self._budget, self._budget.total // _SERIES_SHARE)
        self._series = yield from series(self._target, self._timeout_s, wanted, share)

    def _gather(self, wanted: int) -> Step[None]:
        self._crowd = yield from crowd(self._target, self._timeout_s, wanted, self._budget)

    # -- what there is ----------------------------------------------------------------------------

    def _probed(self) -> Probed:
        looked, visiting = self._looked, self._visiting
        assert looked is not None
        visits = () if visiting is None else tuple(visiting.search.visits)
        return Probed(
            url=self._spec.url,
            method=self._spec.method,
            address=self._target.address,
            user_agent=user_agent(),
            budget=self._spec.budget,
            requests=self._budget.taken,
            connections=self._spec.connections,
            max_wait_s=seconds(self._spec.max_wait_ms),
            took_s=now() - self._began,
            head=looked.head,
            security=looked.security,
            closing=looked.closing,
            visits=visits,
            failures=() if visiting is None else tuple(visiting.failures),
            series=self._series,
            crowd=self._crowd,
            precision=_precision(visits),
            interrupted=self._interrupted,
            throttled=self._throttled,
            out_of_budget=self._budget.exceeded,
            out_of_bytes=self._spec.byte_budget if self._budget.exceeded_bytes else None,
        )


def _precision(visits: tuple[ProbeVisit, ...]) -> Precision | None:
    late = sorted(visit.late_s for visit in visits if visit.asked)
    if not late:
        return None
    discarded = sum(visit.asked and not visit.exact for visit in visits)
    return Precision(len(late), quantile(late, 0.5), quantile(late, 0.99), discarded)
