"""tenacity itself. It knows nothing of HTTP: it retries any exception at once; its default never stops."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from econnlab.client.retrying import Again, FailedAttempt, Policy
from econnlab.errors import EnvironmentProblem
from econnlab.record.attempts import Outcome

if TYPE_CHECKING:
    from tenacity import Retrying

NAME = "tenacity"
HELP = "tenacity's Retrying: any exception, whatever the method, at once"
SOURCE = "tenacity, __init__.py, BaseRetrying: retry_if_exception_type(), wait_none(); stop_never is replaced"
KIND = "library"
#: The article's number; tenacity's default never stops.
RETRIES = 3


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one decorated function. Raises EnvironmentProblem if tenacity is not installed."""
    return _AskedTenacity(_retrying(retries))


def run(once: Callable[[], None], retries: int, sleep: Callable[[float], object]) -> None:
    """Run ``once`` under tenacity until it returns, at most ``retries`` more times; then raise its error.

    Raises EnvironmentProblem if tenacity is not installed.
    """
    _retrying(retries, sleep)(once)


def _retrying(retries: int, sleep: Callable[[float], object] | None = None) -> Retrying:
    try:
        import tenacity
    except ImportError as error:
        raise EnvironmentProblem(
            "--retry tenacity needs tenacity itself.", "Install it: pip install 'econnlab[tenacity]'."
        ) from error
    stop = tenacity.stop_after_attempt(retries + 1)
    if sleep is None:
        return tenacity.Retrying(stop=stop, reraise=True)
    return tenacity.Retrying(stop=stop, reraise=True, sleep=lambda seconds: (sleep(seconds), None)[1])


class _AskedTenacity:
    """Calls tenacity's predicate, its stop and its wait, in the order of BaseRetrying.iter."""

    def __init__(self, retrying: Retrying) -> None:
        self._retrying = retrying

    def after(self, failed: FailedAttempt) -> Again | None:
        from tenacity import RetryCallState

        state = RetryCallState(self._retrying, None, (), {})
        state.attempt_number = failed.attempt
        if failed.outcome is Outcome.HTTP_ERROR:
            state.set_result(failed.status)  # a response, not an exception
        else:
            error = ConnectionError(failed.outcome.value)
            state.set_exception((type(error), error, None))
        if not self._retrying.retry(state) or self._retrying.stop(state):
            return None
        return Again(float(self._retrying.wait(state)))
