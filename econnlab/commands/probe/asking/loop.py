"""One thread for all connections: it sleeps until shortly before a send is due, then spins.

A sleep ends up to some tenths of a millisecond late, a spin within microseconds. Several spinning threads
would wait for each other's interpreter lock, so one thread spins for all, and polls the sockets meanwhile.
Right before a send it watches only the clock.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import math
import selectors
import socket
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass

from econnlab.system.clock import now
from econnlab.system.precise import wait_readable

#: The spin begins this long before a send is due; a sleep ends 0.1 ms late at the median. A longer spin is
#: the first thing that a busy machine's scheduler interrupts, and on loopback it keeps a server on the same
#: processor from closing in time: with 0.8 ms the lab server's 95 % edge moved by up to 1.3 ms between two
#: probes, with 0.3 ms by less than 0.2 ms (Linux 6.18, two processors).
SPIN_S = 0.0003
#: In this last stretch only the clock is watched, because handling any event takes 0.2 ms or more.
ALONE_S = 0.00025
#: The loop's owner does its work if no send is due for this long.
QUIET_S = 0.012
#: It does its work, and a stop is noticed, at least this often.
TICK_S = 0.05
#: How late the kernel wakes a sleeper on a quiet machine (Linux: timer slack and a context switch).
_USUAL_WAKE_S = 0.00005


@dataclass(frozen=True, slots=True)
class Wait:
    """What a task waits for: its socket, a moment, or news; the first of them wakes it."""

    sock: socket.socket | None = None
    write: bool = False
    #: On the monotonic clock.
    until: float = math.inf
    #: ``until`` is the moment of a send, so the loop spins before it.
    exact: bool = False
    #: Come back when the loop's owner calls ``announce``.
    news: bool = False


@dataclass(frozen=True, slots=True)
class Woken:
    """Why a task was woken."""

    #: True: the socket is ready. False: the moment has come, or there is news.
    ready: bool
    at: float
    #: By how much earlier the socket may have become ready.
    slack: float = 0.0


Task = Generator[Wait, Woken, None]


class _Running:
    """A task and what it waits for now."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.wait = Wait()
        #: Counts its waits, so that entries of earlier ones in a queue are skipped.
        self.turn = 0


class _Queue:
    """Tasks in the order of the moments that they wait for."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Running, int]] = []
        self._count = itertools.count()

    def add(self, running: _Running) -> None:
        heapq.heappush(self._heap, (running.wait.until, next(self._count), running, running.turn))

    def next(self) -> float:
        """The earliest moment; infinity if no task waits."""
        while self._heap and self._heap[0][2].turn != self._heap[0][3]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def pop(self) -> _Running:
        return heapq.heappop(self._heap)[2]


class ExactLoop:
    """Runs tasks: generators that yield a Wait and are sent a Woken. A context manager."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._tasks: set[_Running] = set()
        self._exact, self._plain = _Queue(), _Queue()
        self._announced = False
        self._stopped = False
        self._looked = now()
        self._wakes: deque[float] = deque([_USUAL_WAKE_S], maxlen=8)
        #: Called at least every TICK_S if no send is due for QUIET_S; it delays events, not sends.
        self.work: Callable[[], None] = lambda: None

    def __enter__(self) -> ExactLoop:
        # A garbage collection takes milliseconds; what exists now is not garbage.
        gc.freeze()
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        for running in list(self._tasks):
            running.task.close()
        self._tasks.clear()
        self._selector.close()
        gc.enable()
        gc.unfreeze()

    def start(self, task: Task) -> None:
        """Run ``task`` up to its first wait, and then together with the others."""
        running = _Running(task)
        self._tasks.add(running)
        self._advance(running, None)

    def announce(self) -> None:
        """Wake every task that waits for news."""
        self._announced = True

    def stop(self) -> None:
        """Make ``run`` return; may be called from a signal handler."""
        self._stopped = True

    def run(self) -> None:
        """Run until no task is left, or ``stop`` is called."""
        self.work()
        while self._tasks and not self._stopped:
            self._step()

    def _step(self) -> None:
        exact = self._exact.next()
        at = now()
        if exact - at <= ALONE_S:
            while now() < exact:
                pass
            self._advance(self._exact.pop(), Woken(False, exact))
            return
        if exact - at > QUIET_S:
            self.work()
            if self._announced:
                self._tell()
        self._look(exact)
        at = now()
        while self._plain.next() <= at and self._exact.next() - now() > ALONE_S:
            self._advance(self._plain.pop(), Woken(False, at))

    def _look(self, exact: float) -> None:
        """Wait for the next event that is not a send, and handle it."""
        before = self._looked
        at = now()
        moment = min(exact - SPIN_S, self._plain.next(), at + TICK_S)
        asleep = moment > at
        if asleep:
            wait_readable(self._selector.fileno(), moment - at)
        events = self._selector.select(0)
        self._looked = seen = now()
        if asleep and not events:
            self._wakes.append(max(_USUAL_WAKE_S, seen - moment))
        slack = max(self._wakes) if asleep else seen - before
        for key, _ in events:
            if exact - now() <= ALONE_S:
                return  # the events stay pending
            running: _Running = key.data
            self._advance(running, Woken(True, seen, slack))

    def _tell(self) -> None:
        self._announced = False
        for running in [each for each in self._tasks if each.wait.news]:
            self._advance(running, Woken(False, now()))

    def _advance(self, running: _Running, woken: Woken | None) -> None:
        running.turn += 1
        before = running.wait
        try:
            running.wait = next(running.task) if woken is None else running.task.send(woken)
        except StopIteration:
            self._unregister(before)
            self._tasks.discard(running)
            return
        self._register(running, before)
        if running.wait.until < math.inf:
            (self._exact if running.wait.exact else self._plain).add(running)

    def _register(self, running: _Running, before: Wait) -> None:
        wait = running.wait
        if before.sock is not None and before.sock is wait.sock and before.write == wait.write:
            return
        self._unregister(before)
        if wait.sock is not None:
            self._selector.register(
                wait.sock, selectors.EVENT_WRITE if wait.write else selectors.EVENT_READ, running
            )

    def _unregister(self, wait: Wait) -> None:
        if wait.sock is not None:
            self._selector.unregister(wait.sock)  # works even if the task has closed it
