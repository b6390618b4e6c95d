"""Sends each request when the schedule says, in as many threads as requests wait for a response at once.

A request waits for its response in a blocking call of a real client, which needs a thread; a session that
waits for its next request needs none. A thread gets its request some milliseconds early and prepares it. The
client then waits for the due time where it takes up its connection (Observer.hold), so that little is left
to do at that moment.
"""

from __future__ import annotations

import gc
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from econnlab.client.session import ClientSession
from econnlab.lab.limits import start_thread
from econnlab.lab.schedule import Agenda
from econnlab.record.attempts import Request
from econnlab.system.clock import now

#: How early a thread gets its request.
HEAD_START_S = 0.005
#: A ready thread waits at most this long for one that computes (CPython's default is 5 ms).
SWITCH_S = 0.0001
#: The garbage collector runs only if nothing is due for this long.
QUIET_S = 0.03
#: Wait at most this long for threads to end: nothing can interrupt one that is in connect(2).
PATIENCE_S = 2.0


@dataclass
class Runner:
    """A session on the schedule."""

    session: ClientSession
    interval_s: float
    left: int
    #: Seconds from the beginning of the run.
    start_s: float
    sent: int = 0


@dataclass(frozen=True)
class Finished:
    """A request that has ended; or ``crash``, an exception of the lab's own code."""

    request: Request | None
    crash: BaseException | None = None


class Dispatcher:
    """Runs ``runners`` to their end, or until stopped. Results are in ``finished``."""

    def __init__(self, runners: list[Runner]) -> None:
        #: A Finished for each request when it ends; None at the end of all.
        self.finished: queue.SimpleQueue[Finished | None] = queue.SimpleQueue()
        self._runners = runners
        self._agenda: Agenda[Runner] = Agenda()
        self._changed = threading.Condition()
        self._tasks: queue.SimpleQueue[tuple[float, Runner] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0
        self._unfinished = len(runners)
        self._stopped = False
        self._clock = threading.Thread(target=self._dispatch, name="econnlab-dispatcher", daemon=True)

    def start(self, begin: float) -> None:
        """Begin at ``begin``, a time on the monotonic clock."""
        for runner in self._runners:
            self._agenda.add(begin + runner.start_s, runner)
        start_thread(self._clock)

    def stop(self) -> None:
        """Send nothing more, abort requests in progress, and wait for every thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        for runner in self._runners:
            runner.session.abort()
        deadline = now() + PATIENCE_S
        for thread in [self._clock, *self._threads]:
            if thread.ident is None:
                continue  # the system refused to start it
            thread.join(max(0.0, deadline - now()))
        for runner in self._runners:
            runner.session.close()

    # -- the clock's thread -----------------------------------------------------------------------

    def _dispatch(self) -> None:
        try:
            with _undisturbed():
                while (task := self._next_task()) is not None:
                    self._hand_out(task)
            self.finished.put(None)
        except BaseException as crash:
            self.finished.put(Finished(None, crash))
        finally:
            for _ in self._threads:
                self._tasks.put(None)

    def _next_task(self) -> tuple[float, Runner] | None:
        with self._changed:
            while not self._stopped and self._unfinished:
                task = self._agenda.take(now() + HEAD_START_S)
                if task is not None:
                    return task
                due = self._agenda.next_due
                quiet = None if due is None else due - HEAD_START_S - now()
                if quiet is None or quiet > QUIET_S:
                    gc.collect(1)
                    if due is not None:
                        quiet = due - HEAD_START_S - now()
                self._changed.wait(quiet)
            return None

    def _hand_out(self, task: tuple[float, Runner]) -> None:
        with self._changed:
            if self._idle_threads:
                self._idle_threads -= 1
                self._tasks.put(task)
                return
        thread = threading.Thread(
            target=self._work, args=(task,), name=f"econnlab-client-{len(self._threads) + 1}", daemon=True
        )
        start_thread(thread)
        self._threads.append(thread)

    # -- the clients' threads ---------------------------------------------------------------------

    def _work(self, task: tuple[float, Runner] | None) -> None:
        while task is not None:
            try:
                self._perform(*task)
            except BaseException as crash:
                self.finished.put(Finished(None, crash))
                return
            with self._changed:
                self._idle_threads += 1
            task = self._tasks.get()

    def _perform(self, due: float, runner: Runner) -> None:
        runner.sent += 1
        runner.left -= 1
        request = Request(runner.session.perform(runner.sent, due))
        if self._stopped:
            return  # we have aborted it: that is not a failure
        self.finished.put(Finished(request))
        next_due = request.last.ended + runner.interval_s
        with self._changed:
            soonest = self._agenda.next_due
            if runner.left:
                self._agenda.add(next_due, runner)
            else:
                self._unfinished -= 1
            if not self._unfinished or (runner.left and (soonest is None or next_due < soonest)):
                self._changed.notify()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep long pauses of the interpreter away from sends: short thread switches, no garbage collection."""
    switch_interval, collecting = sys.getswitchinterval(), gc.isenabled()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(switch_interval)
        if collecting:
            gc.enable()
        gc.unfreeze()
