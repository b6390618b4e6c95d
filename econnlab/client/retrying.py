"""Retry policies: what a library does when an attempt has failed. Pure: values in, values out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from econnlab.record.attempts import Outcome


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A failed attempt, as a retry policy sees it."""

    method: str
    outcome: Outcome
    #: The attempt went out on a connection that had carried a response before.
    reused: bool
    #: A byte of the request was handed to the kernel.
    sent: bool
    #: The status of a response whose head came whole: an ``http_error``, or a body that was cut.
    status: int | None = None
    #: False: no connection was established (refused; a timeout while connecting).
    connected: bool = True
    #: The body can be sent again: bytes, or none.
    replayable: bool = True
    #: The request carries an ``Idempotency-Key``.
    idempotency_key: bool = False
    #: Number of the failed attempt, 1-based; 1 also tells the policy that a new request started.
    attempt: int = 1
    #: The response's ``Retry-After``.
    retry_after_s: float | None = None
    #: Since the first attempt began.
    elapsed_s: float = 0.0
    #: The timeout of this attempt.
    timeout_s: float | None = None
    #: A byte of a response came.
    response_began: bool = False
    #: The symbolic errno, for what the outcome does not tell: an ``other``, or a timeout by the kernel.
    errno: str | None = None

    @property
    def answered(self) -> bool:
        """Anything came back, even half a line."""
        return self.response_began or self.head_read or self.outcome is Outcome.TRUNCATED

    @property
    def head_read(self) -> bool:
        """The whole head of a response came."""
        return self.status is not None


@dataclass(frozen=True, slots=True)
class Again:
    """Try again."""

    delay_s: float = 0.0
    #: The timeout of the next attempt; None: that of the first.
    timeout_s: float | None = None
    #: It asks only for the missing rest of a cut body (``Range``), so any answer other than 206 fails as
    #: well.
    rest_only: bool = False


class Policy(Protocol):
    """One client's policy; it may remember earlier attempts."""

    def after(self, failed: FailedAttempt) -> Again | None:
        """What to do after ``failed``; None: give up, and the caller gets its error."""


def repeats_unsafe(module: ModuleType) -> bool:
    """Whether the policy of ``module`` may cause a POST to be carried out twice; its rule is asked.

    The case: the request was handed over whole and the connection died before any answer, so the server may
    have carried it out. A policy that sends it again may then cause it to be carried out a second time.
    """
    return any(_decides_again(module, failed) for failed in _unsafe())


def _decides_again(module: ModuleType, failed: FailedAttempt) -> bool:
    policy: Policy = module.policy(max(module.RETRIES, 1), random.Random(0))
    return policy.after(failed) is not None


def _unsafe() -> Iterator[FailedAttempt]:
    for outcome in (Outcome.RESET, Outcome.CLOSED):
        for reused in (False, True):
            yield FailedAttempt("POST", outcome, reused=reused, sent=True)
