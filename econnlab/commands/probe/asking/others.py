"""What a probe does beside its visits: a first look, many requests on one connection, many connections."""

from __future__ import annotations

from dataclasses import dataclass, replace

from econnlab.commands.probe.asking.layers import Tls
from econnlab.commands.probe.asking.steps import Phase, Step, StepFailed
from econnlab.commands.probe.asking.talk import Talk
from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.commands.probe.asking.visits import asked
from econnlab.commands.probe.budget import Budget, Share
from econnlab.commands.probe.seen import Closing, Crowd, Head, NotServed, Security, Series
from econnlab.record.attempts import Outcome

#: A server that sends before it is asked does so within this time of the handshake.
_SPEAKS_WITHIN_S = 0.02
_UNAVAILABLE = 503
#: So many more are tried after the first connection that is not served, to see whether all are refused alike.
_MORE = 2


@dataclass(frozen=True)
class Look:
    """What the first connection showed."""

    head: Head
    security: Security | None
    #: How it ended by itself, if the server announced that it would.
    closing: Closing | None


def look(target: ProbeTarget, timeout_s: float, patience_s: float) -> Step[Look]:
    """One request; if its connection is not kept, wait ``patience_s`` for the end. Raises StepFailed."""
    talk = Talk(target, timeout_s)
    try:
        yield from talk.open()
        security = talk.layer.security() if isinstance(talk.layer, Tls) else None
        yield from talk.listen(_SPEAKS_WITHIN_S)
        talk.prepare()
        talk.write()
        answer = yield from talk.answer()
        closing = None
        if not answer.head.persistent:
            closing = yield from talk.idle(answer.ended, answer.ended + patience_s)
        return Look(answer.head, security, closing)
    finally:
        talk.close()


def series(target: ProbeTarget, timeout_s: float, wanted: int, allowance: Budget | Share) -> Step[Series]:
    """Up to ``wanted`` requests one after another on one connection."""
    talk = Talk(target, timeout_s)
    done = Series(0, wanted)
    try:
        yield from talk.open()
        while done.requests < wanted and not done.announced and allowance.take():
            answer = yield from asked(talk)
            done = replace(done, requests=done.requests + 1, announced=not answer.head.persistent)
    except StepFailed as failure:
        done = replace(done, outcome=failure.outcome)
    finally:
        talk.close()
    return done


def crowd(target: ProbeTarget, timeout_s: float, wanted: int, allowance: Budget | Share) -> Step[Crowd]:
    """Up to ``wanted`` connections, all held open, each with a request answered."""
    held: list[Talk] = []
    refused: list[NotServed] = []
    try:
        while len(held) < wanted and len(refused) <= _MORE and allowance.take():
            talk = Talk(target, timeout_s)
            held.append(talk)
            refusal = yield from _one_more(talk)
            if refusal is not None:
                held.pop().close()
                refused.append(refusal)
        # The first may have been closed as idle before the last was opened; only those still open count.
        return Crowd(sum(not talk.readable() for talk in held), wanted, tuple(refused))
    finally:
        for talk in held:
            talk.close()


def _one_more(talk: Talk) -> Step[NotServed | None]:
    try:
        yield from talk.open()
        answer = yield from asked(talk)
    except StepFailed as failure:
        return NotServed(failure.outcome, failure.phase is not Phase.CONNECT)
    if answer.head.status == _UNAVAILABLE:
        return NotServed(Outcome.HTTP_ERROR, True, _UNAVAILABLE)
    return None
