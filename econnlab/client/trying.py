"""How a session tries a request: once, or again as a retry policy decides. The client makes each try."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from types import ModuleType
from typing import Protocol

from econnlab.client.observer import Observer, Tried
from econnlab.client.retrying import FailedAttempt, Policy
from econnlab.discovery import parts
from econnlab.errors import UsageProblem
from econnlab.record.attempts import Outcome
from econnlab.scenario.client import DEFAULT_RETRY, ClientSpec
from econnlab.scenario.durations import seconds

#: One try by the client. Arguments: its timeout in seconds, and whether it asks only for the rest of a cut
#: response. Returns the attempt, and what the client raised.
Once = Callable[[float, bool], tuple[Tried, Exception | None]]
POLICIES = "econnlab.client.policies"


class RestNotGiven(Exception):
    """The server sent the whole response to a client that asked for the missing rest, as undici does."""


class Trying(Protocol):
    """One way to try a request."""

    def perform(self, once: Once) -> None:
        """Try until the request is over; returns early when the session is aborted."""


def open_trying(spec: ClientSpec, observer: Observer, seed: str) -> Trying:
    """How ``spec``'s policy tries; its jitter comes from ``seed``."""
    policy = parts(POLICIES)[spec.policy]
    timeout_s = seconds(spec.timeout_ms)
    if spec.policy == DEFAULT_RETRY:
        return _ByTheClient(timeout_s)
    if hasattr(policy, "run"):
        policy.policy(retries_of(spec), random.Random(seed))  # raises now if the library is not installed
        return _ByALibrary(policy, retries_of(spec), timeout_s, observer)
    rule = policy.policy(retries_of(spec), random.Random(seed))
    return _ByARule(rule, spec, timeout_s, observer)


def retries_of(spec: ClientSpec) -> int:
    """How many more tries its policy makes at most. Raises UsageProblem if it cannot make so many."""
    policy = parts(POLICIES)[spec.policy]
    if spec.retries > policy.RETRIES and getattr(policy, "FIXED", False):
        raise UsageProblem(
            f"retries: at most {policy.RETRIES} with {spec.policy}, which has no setting for more.",
            "Leave out retries, or name another policy.",
        )
    return spec.retries or int(policy.RETRIES)


def client_retries(spec: ClientSpec) -> int:
    """The total of urllib3's Retry for a client that has it; 0 if another policy decides."""
    return retries_of(spec) if spec.policy == DEFAULT_RETRY else 0


class _ByTheClient:
    """urllib3 tries again by itself, with the Retry of its pool."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def perform(self, once: Once) -> None:
        once(self._timeout_s, False)


class _ByALibrary:
    """A library calls again after any exception."""

    def __init__(self, policy: ModuleType, retries: int, timeout_s: float, observer: Observer) -> None:
        self._policy = policy
        self._retries = retries
        self._timeout_s = timeout_s
        self._observer = observer

    def perform(self, once: Once) -> None:
        def call() -> None:
            _, error = once(self._timeout_s, False)
            if error is not None:
                raise error

        with contextlib.suppress(Exception):  # the record has it already
            self._policy.run(call, self._retries, self._observer.wait)


class _ByARule:
    """A rule gets each failed attempt, and decides whether and when to try again, and with which timeout."""

    def __init__(self, rule: Policy, spec: ClientSpec, timeout_s: float, observer: Observer) -> None:
        self._rule = rule
        self._spec = spec
        self._timeout_s = timeout_s
        self._observer = observer

    def perform(self, once: Once) -> None:
        timeout_s, rest_only, began, number = self._timeout_s, False, None, 1
        while True:
            tried, _ = once(timeout_s, rest_only)
            if tried.attempt.outcome is Outcome.OK:
                return
            began = tried.attempt.began if began is None else began
            again = self._rule.after(self._failed(tried, number, tried.attempt.ended - began, timeout_s))
            if again is None or self._observer.wait(again.delay_s):
                return
            timeout_s = self._timeout_s if again.timeout_s is None else again.timeout_s
            rest_only = again.rest_only
            number += 1

    def _failed(self, tried: Tried, number: int, elapsed_s: float, timeout_s: float) -> FailedAttempt:
        attempt = tried.attempt
        return FailedAttempt(
            method=attempt.method,
            outcome=attempt.outcome,
            reused=attempt.reused,
            sent=tried.sent,
            status=attempt.status,
            connected=tried.connected,
            replayable=self._spec.replayable,
            idempotency_key=self._spec.idempotency_key,
            attempt=number,
            retry_after_s=_seconds(tried.retry_after),
            elapsed_s=elapsed_s,
            timeout_s=timeout_s,
            response_began=attempt.first_byte is not None,
            errno=attempt.errno,
        )


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` if it is in seconds, as the lab server sends it (RFC 9110 section 10.2.3)."""
    return float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None
