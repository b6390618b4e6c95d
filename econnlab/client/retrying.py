"""Retry policies: what a library does when an attempt has failed. Pure: values in, values out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from econnlab.record.attempts import Outcome


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed attempt, as a retry policy sees it."""

    method: str
    outcome: Outcome
    #: The attempt went out on a connection that had carried a response before.
    reused: bool
    #: A byte of the request was handed to the kernel.
    sent: bool
    #: Of a response whose head came whole: an ``http_error``, or a body that was cut.
    status: int | None = None
    #: False: no connection came about (refused; a timeout while connecting).
    connected: bool = True
    #: The body can be sent again: bytes, or none.
    replayable: bool = True
    #: The request carries an ``Idempotency-Key``.
    idempotency_key: bool = False
    #: Which attempt has failed, from 1; with 1 begins a new request.
    attempt: int = 1
    #: What the response said in ``Retry-After``.
    retry_after_s: float | None = None
    #: Since the first attempt began.
    elapsed_s: float = 0.0
    #: What this attempt was given.
    timeout_s: float | None = None
    #: A byte of a response came.
    response_began: bool = False
    #: The symbolic errno, for what the outcome does not say: an ``other``, a timeout of the kernel's own.
    errno: str | None = None

    @property
    def answered(self) -> bool:
        """Anything came back, be it half a line."""
        return self.response_began or self.head_read or self.outcome is Outcome.TRUNCATED

    @property
    def head_read(self) -> bool:
        """The head of a response came whole."""
        return self.status is not None


@dataclass(frozen=True, slots=True)
class Again:
    """Try again."""

    delay_s: float = 0.0
    #: Of the next attempt; None: as the first.
    timeout_s: float | None = None
    #: It asks only for what is missing of a cut body (``Range``): an answer other than 206 fails as well.
    rest_only: bool = False


class Policy(Protocol):
    """One client's: it may remember what went before."""

    def after(self, failed: Failed) -> Again | None:
        """What follows ``failed``; None: give up, and its error is what the caller gets."""


def repeats_unsafe(module: ModuleType) -> bool:
    """Whether the policy of ``module`` may carry a POST out twice, by asking its rule.

    The request was handed over whole and the connection died before any answer, so the server may have
    carried it out; a policy that sends it again may do so a second time.
    """
    return any(_decides_again(module, failed) for failed in _unsafe())


def _decides_again(module: ModuleType, failed: Failed) -> bool:
    policy: Policy = module.policy(max(module.RETRIES, 1), random.Random(0))
    return policy.after(failed) is not None


def _unsafe() -> Iterator[Failed]:
    for outcome in (Outcome.RESET, Outcome.CLOSED):
        for reused in (False, True):
            yield Failed("POST", outcome, reused=reused, sent=True)
