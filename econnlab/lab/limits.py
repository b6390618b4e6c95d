"""Limits of the system that a run needs raised."""

from __future__ import annotations

import resource
import threading

from econnlab.errors import NO_MORE_THREADS, EnvironmentProblem
from econnlab.scenario.model import Scenario

#: Descriptors for standard streams, pipes, listeners, the poller, and modules that are being read.
SPARE = 32
#: Connections that the server should be able to hold, if the system allows it.
WANTED_CONNECTIONS = 10_000


def descriptors_needed(scenario: Scenario) -> int:
    """How many open files one process of the run needs at most: the link has two sockets a session."""
    return scenario.plan.total_sessions * (2 if scenario.relayed else 1) + SPARE


def ensure_descriptors(needed: int, less: str = "take fewer sessions") -> None:
    """Raise this process's soft limit, which its children inherit, to ``needed`` open files.

    Raises EnvironmentProblem if the hard limit is lower; ``less`` says what else helps.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise EnvironmentProblem(
            f"This run needs {needed} open files in one process; the limit here is {hard}.",
            f"Raise it (ulimit -Hn {needed}, or LimitNOFILE of the service), or {less}.",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def raise_descriptors(count: int = WANTED_CONNECTIONS) -> None:
    """Allow ``count`` open files and some more, or as many as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE
    ensure_descriptors(wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))


def start_thread(thread: threading.Thread) -> None:
    """Start ``thread``. Raises EnvironmentProblem if the system allows no more."""
    try:
        thread.start()
    except RuntimeError as error:  # pthread_create(3): EAGAIN
        raise EnvironmentProblem(*NO_MORE_THREADS.split("\n")) from error
