"""The lab's own processes as their parent sees them: settings and commands go in, a ledger comes out."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from econnlab.lab.limits import start_thread
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.codec import encode
from econnlab.system.child import ChildSettings, Verb, command_line
from econnlab.system.clock import now
from econnlab.system.process import STOP_S, Process, Starter, start_python

#: Seconds within which a healthy child answers; starting Python takes a tenth of a second.
ANSWER_S = 20.0


class Listener(Protocol):
    """What a child takes over: a bound socket, or something else with a descriptor and a port."""

    def fileno(self) -> int: ...
    def getsockname(self) -> Any: ...
    def close(self) -> None: ...


class Child(Process):
    """Runs ``module``, which takes ``listener`` over and inherits the descriptors ``beside``.

    ``on_death`` is called, from another thread, if it ends without being told to.
    """

    def __init__(
        self,
        module: str,
        listener: Listener,
        settings: ChildSettings,
        on_death: Callable[[Child], None] = lambda _: None,
        *,
        part: str | None = None,
        beside: Sequence[int] = (),
        start: Starter = start_python,
    ) -> None:
        self.part = part or module.rpartition(".")[2]
        self.port: int = listener.getsockname()[1]
        #: It was told to end by itself.
        self.retiring = False
        self._on_death = on_death
        self._stopping = self._ended = self._listening = False
        self._arrived = threading.Condition()
        self._chunks: list[bytes] = []
        self._unfinished_line = b""
        self._events: list[ConnectionEvent] = []
        self._numbers = itertools.count(1)
        self._synced = 0
        handed = [listener.fileno(), *beside]
        try:
            super().__init__(
                f"The lab's {self.part} process", lambda errors: start(f"{module}.__main__", errors, handed)
            )
            complete = replace(settings, listener_fd=listener.fileno())
            self.say(json.dumps(encode(complete)).encode() + b"\n")
        finally:
            listener.close()  # otherwise the port would stay open after the process has died
        self._reader = threading.Thread(target=self._read, name=f"econnlab-{self.part}", daemon=True)
        try:
            start_thread(self._reader)
        except BaseException:
            super().stop()
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """It has not closed its ledger."""
        return not self._ended

    # -- what it says -----------------------------------------------------------------------------

    def _read(self) -> None:
        assert self.running.stdout is not None
        fd = self.running.stdout.fileno()
        while chunk := os.read(fd, 1 << 20):
            with self._arrived:
                self._chunks.append(chunk)
                self._arrived.notify_all()
        if not self._stopping:
            self.ended(STOP_S)
            if not (self.retiring and self.running.returncode == 0):
                self._on_death(self)
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def take_events(self) -> list[ConnectionEvent]:
        """The ledger's events since the last call. Parsing waits until here, to disturb no measurement."""
        with self._arrived:
            self._parse()
            events, self._events = self._events, []
        return events

    def wait_for_news(self, timeout: float) -> None:
        """Wait until it says something or ends, ``wake`` is called, or ``timeout`` seconds have passed."""
        with self._arrived:
            if not self._chunks and not self._ended:
                self._arrived.wait(timeout)

    def wake(self) -> None:
        """End every ``wait_for_news``."""
        with self._arrived:
            self._arrived.notify_all()

    def _parse(self) -> None:
        data = self._unfinished_line + b"".join(self._chunks)
        self._chunks.clear()
        *lines, self._unfinished_line = data.split(b"\n")
        new = [ConnectionEvent.from_json(json.loads(line)) for line in lines]
        self._listening = self._listening or any(event.kind == Kind.LISTENING for event in new)
        for event in new:
            if event.kind == Kind.SYNC:
                self._synced = max(self._synced, int(event.reason or 0))
        self._events.extend(new)

    def wait_until_listening(self) -> None:
        """Raises ProcessDied if it ends, or says nothing for ANSWER_S."""
        self._wait_for(lambda: self._listening)

    def sync(self) -> None:
        """Wait until all that has happened up to now is among the events. Raises ProcessDied."""
        number = self.ask_to_sync()
        self._wait_for(lambda: self._synced >= number)

    def ask_to_sync(self) -> int:
        """Ask for a SYNC event with the number that this returns, or a higher one."""
        number = next(self._numbers)
        self.tell(Verb.SYNC, str(number))
        return number

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        # Another thread may take the events meanwhile, so what they say of this is kept apart.
        deadline = now() + ANSWER_S
        with self._arrived:
            while True:
                self._parse()
                if happened():
                    return
                if self._ended or not self._arrived.wait(deadline - now()):
                    raise self.death()

    # -- what it is told, and its end -------------------------------------------------------------

    def tell(self, verb: Verb, value: Any = None) -> None:
        """Send a command. Does nothing if it has died: the reader notices that."""
        self.say(command_line(verb, value))

    def retire(self, restart: Any) -> None:
        """Make a server whose place is taken end in the manner of ``restart``, an encoded Restart."""
        self.retiring = True
        self.tell(Verb.RETIRE, restart)

    def tell_to_end(self) -> None:
        """Make it end; ``stop`` waits for that."""
        self._stopping = True
        super().tell_to_end()

    def stop(self, patience_s: float | None = None) -> None:
        """End it, with SIGKILL if need be. What it has said can still be taken."""
        super().stop(patience_s)
        self._reader.join(STOP_S)
        self.close()
