"""What a probe does with one connection: a request, then silence, then mostly a second request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from econnlab.commands.probe.asking.loop import ALONE_S, Wait
from econnlab.commands.probe.asking.steps import Phase, ProbeExchange, Step, StepFailed, Why
from econnlab.commands.probe.asking.talk import Talk
from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.commands.probe.seen import Closing, ProbeVisit
from econnlab.record.attempts import Outcome
from econnlab.system.clock import now

#: A second request is made ready this long before it is due.
PREPARE_S = 0.004
_BAD_REQUEST = 400
REQUEST_TIMEOUT = 408
TOO_MANY_REQUESTS = 429


class Moments(Protocol):
    """Decides when the second request of each connection is sent, as late as possible."""

    @property
    def decided_s(self) -> float:
        """Idle seconds before which no second request is sent; infinite as long as nothing is known."""

    def next(self, earliest_s: float) -> float | None:
        """The idle seconds of the next one, at least ``earliest_s``; None if no more is sent."""


class Throttled(Exception):
    """The server answered 429: it wants fewer requests."""


@dataclass(frozen=True)
class Visitor:
    """Makes visits to ``target``. Each visit raises StepFailed if its first request gets no whole answer."""

    target: ProbeTarget
    timeout_s: float
    max_wait_s: float

    def watch(self) -> Step[ProbeVisit]:
        """Wait for the end of an idle connection; a request after ``max_wait_s`` shows whether it lives."""

        def wait(talk: Talk, visit: ProbeVisit) -> Step[ProbeVisit]:
            closing = yield from talk.idle(visit.began, visit.began + self.max_wait_s - PREPARE_S)
            if closing is not None:
                return replace(visit, closing=closing)
            return (yield from _ask_again(talk, visit, self.max_wait_s, None))

        return self._visit(wait)

    def trial(self, moments: Moments) -> Step[ProbeVisit]:
        """Send a second request when ``moments`` decides, blindly: also if the end has been seen.

        None is sent if nothing is known after ``max_wait_s``.
        """

        def wait(talk: Talk, visit: ProbeVisit) -> Step[ProbeVisit]:
            closing: Closing | None = None
            while closing is None and now() < visit.began + moments.decided_s:
                if now() >= visit.began + self.max_wait_s:
                    return visit
                until = visit.began + min(self.max_wait_s, moments.decided_s)
                closing = yield from talk.idle(visit.began, until, news=True)
            idle_s = moments.next(now() + PREPARE_S - visit.began)
            if idle_s is None:
                return replace(visit, closing=closing)
            return (yield from _ask_again(talk, visit, idle_s, closing))

        return self._visit(wait)

    def trial_at(self, idle_s: float) -> Step[ProbeVisit]:
        """Send a second request after ``idle_s``."""
        return self._visit(lambda talk, visit: _ask_again(talk, visit, idle_s, None))

    def _visit(self, wait: Callable[[Talk, ProbeVisit], Step[ProbeVisit]]) -> Step[ProbeVisit]:
        talk = Talk(self.target, self.timeout_s)
        try:
            yield from talk.open()
            answer = yield from asked(talk)
            if not answer.head.persistent:  # a full server's 503: its close is not that of an idle connection
                refused = answer.head.status >= _BAD_REQUEST
                raise StepFailed(Outcome.HTTP_ERROR if refused else Outcome.CLOSED, Phase.BODY)
            first_s, took_s = answer.first - answer.asked, answer.ended - answer.asked
            visit = ProbeVisit(answer.ended, talk.connect_s, first_s, took_s, answer.slack)
            visit = yield from wait(talk, visit)
            return replace(visit, stray=talk.stray)
        finally:
            talk.close()


def asked(talk: Talk) -> Step[ProbeExchange]:
    """One request and its response. Raises StepFailed, Throttled."""
    talk.prepare()
    talk.write()
    answer = yield from talk.answer()
    if answer.head.status == TOO_MANY_REQUESTS:
        raise Throttled
    if answer.first <= answer.asked:
        raise StepFailed(Outcome.OTHER, Phase.HEAD, why=Why.UNASKED)
    return answer


def _ask_again(talk: Talk, visit: ProbeVisit, idle_s: float, closing: Closing | None) -> Step[ProbeVisit]:
    due = visit.began + idle_s
    if closing is None:
        closing = yield from talk.idle(visit.began, due - PREPARE_S)
    talk.prepare()
    if closing is None:
        closing = yield from talk.idle(visit.began, due, exact=True)
    if closing is not None:
        yield Wait(until=due, exact=True)
    elif talk.readable():
        closing = Closing(idle_s, "", ALONE_S)  # it came while the loop watched only the clock
    visit = replace(visit, closing=closing, idle_s=idle_s, late_s=now() - due)
    try:
        talk.write()
        answer = yield from talk.answer()
    except StepFailed as failure:
        return replace(visit, outcome=failure.outcome, errno=failure.errno)
    status = answer.head.status
    outcome = Outcome.HTTP_ERROR if status == REQUEST_TIMEOUT else Outcome.OK
    return replace(visit, outcome=outcome, status=status)
