"""What a probe does with one connection; each is a task of the loop that hands over what it saw."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Protocol

from econnlab.commands.probe.asking.layers import Tls
from econnlab.commands.probe.asking.loop import ALONE_S, Task, Wait, Woken
from econnlab.commands.probe.asking.talk import Answer, Failed, Stage, Talk
from econnlab.commands.probe.asking.target import Target
from econnlab.commands.probe.seen import Closing, Crowd, Head, Refusal, Security, Series, Visit
from econnlab.record.attempts import Outcome
from econnlab.system.clock import now

#: A second request is made ready this long before it is due.
PREPARE_S = 0.004
_BAD_REQUEST = 400
REQUEST_TIMEOUT = 408
TOO_MANY_REQUESTS = 429
_UNAVAILABLE = 503
#: Connections beyond the first that is not taken: does it refuse them all alike?
_MORE = 2


class Allowance(Protocol):
    """How many requests may still be sent."""

    def take(self, requests: int = 1) -> bool:
        """Whether so many more may be, which are then counted."""


class Moments(Protocol):
    """Decides when the second request of each connection is sent, as late as possible."""

    @property
    def decided_s(self) -> float:
        """Idle seconds before which no second request is sent; infinite as long as nothing is known."""

    def next(self, earliest_s: float) -> float | None:
        """Idle seconds at which the next one is, not before ``earliest_s``; None: nothing more is asked."""


class Throttled(Exception):
    """The server answered 429: it wants to be asked less."""


# -- one connection, one second request -----------------------------------------------------------


def watch(
    target: Target,
    timeout_s: float,
    max_wait_s: float,
    told: Callable[[Visit], None],
    failed: Callable[[Failed], None],
) -> Task:
    """Wait for the server's end of an idle connection; at ``max_wait_s`` a request shows whether it lives."""

    def wait(talk: Talk, visit: Visit) -> Generator[Wait, Woken, Visit]:
        closing = yield from talk.idle(visit.began, visit.began + max_wait_s - PREPARE_S)
        if closing is not None:
            return replace(visit, closing=closing)
        return (yield from _ask_again(talk, visit, max_wait_s, None))

    return _visit(target, timeout_s, wait, told, failed)


def trial(
    target: Target,
    timeout_s: float,
    max_wait_s: float,
    moments: Moments,
    told: Callable[[Visit], None],
    failed: Callable[[Failed], None],
) -> Task:
    """Send a second request when ``moments`` says, blindly: also where the end has been seen.

    None is sent where nothing is known after ``max_wait_s``.
    """

    def wait(talk: Talk, visit: Visit) -> Generator[Wait, Woken, Visit]:
        closing: Closing | None = None
        while closing is None and now() < visit.began + moments.decided_s:
            if now() >= visit.began + max_wait_s:
                return visit
            until = visit.began + min(max_wait_s, moments.decided_s)
            closing = yield from talk.idle(visit.began, until, news=True)
        idle_s = moments.next(now() + PREPARE_S - visit.began)
        if idle_s is None:
            return replace(visit, closing=closing)
        return (yield from _ask_again(talk, visit, idle_s, closing))

    return _visit(target, timeout_s, wait, told, failed)


def trial_at(
    target: Target,
    timeout_s: float,
    idle_s: float,
    told: Callable[[Visit], None],
    failed: Callable[[Failed], None],
) -> Task:
    """Send a second request after ``idle_s``."""

    def wait(talk: Talk, visit: Visit) -> Generator[Wait, Woken, Visit]:
        return (yield from _ask_again(talk, visit, idle_s, None))

    return _visit(target, timeout_s, wait, told, failed)


def _visit(
    target: Target,
    timeout_s: float,
    wait: Callable[[Talk, Visit], Generator[Wait, Woken, Visit]],
    told: Callable[[Visit], None],
    failed: Callable[[Failed], None],
) -> Task:
    talk = Talk(target, timeout_s)
    try:
        yield from talk.open()
        answer = yield from _asked(talk)
        if not answer.head.persistent:  # a full server's 503: its close is no idle connection's
            raise _not_kept(answer)
        first_s, took_s = answer.first - answer.asked, answer.ended - answer.asked
        visit = Visit(answer.ended, talk.connect_s, first_s, took_s, answer.slack)
        told((yield from wait(talk, visit)))
    except Failed as failure:
        failed(failure)
    finally:
        talk.close()


def _not_kept(answer: Answer) -> Failed:
    refused = answer.head.status >= _BAD_REQUEST
    return Failed(Outcome.HTTP_ERROR if refused else Outcome.CLOSED, Stage.BODY)


def _asked(talk: Talk) -> Generator[Wait, Woken, Answer]:
    talk.prepare()
    talk.write()
    answer = yield from talk.answer()
    if answer.head.status == TOO_MANY_REQUESTS:
        raise Throttled
    return answer


def _ask_again(
    talk: Talk, visit: Visit, idle_s: float, closing: Closing | None
) -> Generator[Wait, Woken, Visit]:
    due = visit.began + idle_s
    if closing is None:
        closing = yield from talk.idle(visit.began, due - PREPARE_S)
    talk.prepare()
    if closing is None:
        closing = yield from talk.idle(visit.began, due, exact=True)
    if closing is not None:
        yield Wait(until=due, exact=True)
    elif talk.readable():
        closing = Closing(idle_s, "", ALONE_S)  # it came when the loop looked at the clock alone
    visit = replace(visit, closing=closing, idle_s=idle_s, late_s=now() - due)
    try:
        talk.write()
        answer = yield from talk.answer()
    except Failed as failure:
        return replace(visit, outcome=failure.outcome, errno=failure.errno)
    status = answer.head.status
    outcome = Outcome.HTTP_ERROR if status == REQUEST_TIMEOUT else Outcome.OK
    return replace(visit, outcome=outcome, status=status)


# -- a first look ---------------------------------------------------------------------------------


class Looked:
    """What the first connection showed."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.security: Security | None = None
        #: How it ended by itself, of those that said it would.
        self.closing: Closing | None = None
        self.failure: Failed | None = None


def look(target: Target, timeout_s: float, patience_s: float, looked: Looked) -> Task:
    """One request; a connection that is not to be kept is watched until it is closed, ``patience_s`` long."""
    talk = Talk(target, timeout_s)
    try:
        yield from talk.open()
        if isinstance(talk.layer, Tls):
            looked.security = talk.layer.security()
        talk.prepare()
        talk.write()
        answer = yield from talk.answer()
        looked.head = answer.head
        if not answer.head.persistent:
            looked.closing = yield from talk.idle(answer.ended, answer.ended + patience_s)
    except Failed as failure:
        looked.failure = failure
    finally:
        talk.close()


# -- many requests, many connections --------------------------------------------------------------


def series(
    target: Target, timeout_s: float, wanted: int, allowance: Allowance, told: Callable[[Series], None]
) -> Task:
    """Up to ``wanted`` requests one after another on one connection."""
    talk = Talk(target, timeout_s)
    done = Series(0, wanted)
    try:
        yield from talk.open()
        while done.requests < wanted and not done.announced and allowance.take():
            answer = yield from _asked(talk)
            done = replace(done, requests=done.requests + 1, announced=not answer.head.persistent)
    except Failed as failure:
        done = replace(done, outcome=failure.outcome)
    finally:
        talk.close()
    told(done)


def crowd(
    target: Target, timeout_s: float, wanted: int, allowance: Allowance, told: Callable[[Crowd], None]
) -> Task:
    """Up to ``wanted`` connections, each with a request answered, all held."""
    held: list[Talk] = []
    refused: list[Refusal] = []
    try:
        while len(held) < wanted and len(refused) <= _MORE and allowance.take():
            talk = Talk(target, timeout_s)
            held.append(talk)
            refusal = yield from _one_more(talk)
            if refusal is not None:
                held.pop().close()
                refused.append(refusal)
        # The first may have been closed for being idle before the last came: at a time means just that.
        told(Crowd(sum(not talk.readable() for talk in held), wanted, tuple(refused)))
    finally:
        for talk in held:
            talk.close()


def _one_more(talk: Talk) -> Generator[Wait, Woken, Refusal | None]:
    try:
        yield from talk.open()
        answer = yield from _asked(talk)
    except Failed as failure:
        return Refusal(failure.outcome, failure.stage is not Stage.CONNECT)
    if answer.head.status == _UNAVAILABLE:
        return Refusal(Outcome.HTTP_ERROR, True, _UNAVAILABLE)
    return None
