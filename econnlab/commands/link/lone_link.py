"""A link alone, in front of anything that speaks TCP: its process, its orders, its state."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from econnlab.commands.link.tally import LinkTally
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.capturing import start_capture
from econnlab.lab.children import ANSWER_S, Child
from econnlab.lab.limits import WANTED_CONNECTIONS, raise_descriptors
from econnlab.lab.listeners import bind, resolve
from econnlab.link.settings import LinkSettings
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.codec import encode
from econnlab.scenario.orders import Change, Do
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import Treatment
from econnlab.system.child import Verb

#: ``events`` yields a batch, even an empty one, after this many seconds.
TICK_S = 0.2


class LoneLink:
    """A context manager: inside it the link lives. One thread reads ``events``; any may call the rest."""

    def __init__(
        self, treatment: Treatment, listen: Place, to: Place, seed: int, capture: int | None = None
    ) -> None:
        self._treatment = treatment
        self._listen = listen
        self.to = to
        self._seed = seed
        #: The descriptor of a file for every packet of both sides.
        self._capture_into = capture
        self._capture: Child | None = None
        self._stopped = False
        self._ended = False
        #: For the thread that reads ``events``.
        self.tally = LinkTally()
        #: Guards the tally and the order of commands; notified whenever events have been counted.
        self._counted = threading.Condition()

    def __enter__(self) -> LoneLink:
        raise_descriptors(2 * WANTED_CONNECTIONS)
        upstreams = addresses_of(self.to)
        listener = bind(self._listen.host, self._listen.port, "--listen")
        bound = listener.getsockname()
        self.place = Place(str(bound[0]), int(bound[1]))
        if _leads_to_itself(self.place, upstreams):
            listener.close()
            raise UsageProblem(
                f"The link would connect to itself at {self.place}.",
                "Give another port to --listen or --to.",
            )
        settings = LinkSettings(treatment=self._treatment, seed=self._seed, upstreams=upstreams)
        self.child = Child("econnlab.link", listener, settings)
        try:
            self.child.wait_until_listening()
            if self._capture_into is not None:
                ports = self.place.port, self.to.port
                self._capture = start_capture(ports, self._capture_into, str(self.place))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.take_no_more()
        self.child.stop()
        if self._capture is not None:
            self._capture.stop()

    def interrupt(self) -> None:
        """Make ``events`` end. A signal handler may call this."""
        self._stopped = True

    def take_no_more(self) -> None:
        """Make ``obey`` and ``status`` fail from now on, also in threads that wait in them."""
        with self._counted:
            self._ended = True
            self._counted.notify_all()

    def events(self) -> Iterator[list[ConnectionEvent]]:
        """What has happened, batch by batch, until ``interrupt``; then what happened at the end.

        A batch may be empty. Raises ProcessDied or LabFault if the link ends by itself.
        """
        while not self._stopped:
            self.child.wait_for_news(TICK_S)
            yield self._count(self.child.take_events())
            if not self.child.alive and not self._stopped:
                raise self.child.death()
        self.__exit__()
        yield self._count(self.child.take_events())
        if self._capture is not None:
            yield [event for event in self._capture.take_events() if event.kind == Kind.CAPTURED]

    def wake(self) -> None:
        """Make ``events`` yield a batch now, even an empty one."""
        self.child.wake()

    def _count(self, events: list[ConnectionEvent]) -> list[ConnectionEvent]:
        with self._counted:
            for event in events:
                self.tally.take(event)
            self._counted.notify_all()
        return [event for event in events if event.kind not in (Kind.SYNC, Kind.COUNTED)]

    # -- orders -----------------------------------------------------------------------------------

    def obey(self, order: Change | Do) -> None:
        """Have ``order`` carried out, and wait for that.

        Raises UsageProblem if the connection that it names is not open.
        """
        with self._counted:
            if isinstance(order, Change):
                changed = {key: encode(value) for key, value in order.values.items()}
                self._tell_and_wait(Verb.TREAT, changed)
                return
            if order.connection is not None:
                self._tell_and_wait()  # it may be open and not counted yet
                if order.connection not in self.tally.open:
                    raise UsageProblem(f"Connection {order.connection} is not open.")
            self._tell_and_wait(Verb.ACT, encode(order))

    def status(self) -> dict[str, Any]:
        """The settings and the connections, as JSON."""
        with self._counted:
            self._tell_and_wait(Verb.COUNT)
            return self._status()

    def _tell_and_wait(self, verb: Verb | None = None, value: Any = None) -> None:
        if not self._ended:
            if verb is not None:
                self.child.tell(verb, value)
            number = self.child.ask_to_sync()
            if not self._counted.wait_for(lambda: self._ended or self.tally.synced >= number, ANSWER_S):
                raise EnvironmentProblem("The link does not answer.")
        if self._ended:
            raise EnvironmentProblem("The link has ended.")

    def _status(self) -> dict[str, Any]:
        tally = self.tally
        to_server, to_client = tally.bytes_passed
        return {
            "listen": str(self.place),
            "to": str(self.to),
            "settings": dict(tally.plan),
            "paused": tally.paused,
            "totals": {"to_server": to_server, "to_client": to_client, **tally.counts},
            "connections": [
                {
                    "connection": row.number,
                    "peer": row.peer,
                    "state": row.state,
                    "to_server": row.to_server,
                    "to_client": row.to_client,
                    "idle_s": round(row.idle_s, 3),
                }
                for row in tally.open.values()
            ],
        }


def addresses_of(place: Place) -> tuple[Place, ...]:
    """The addresses of ``place``, the likeliest first. Raises EnvironmentProblem if its name is unknown."""
    return tuple(dict.fromkeys(Place(where[0], where[1]) for _, where in resolve(place.host, place.port)))


def _leads_to_itself(here: Place, upstreams: tuple[Place, ...]) -> bool:
    mine = {here.host}
    if here.host in ("0.0.0.0", "::"):
        mine |= {"127.0.0.1", "::1", "0.0.0.0", "::"}
    return any(each.port == here.port and each.host in mine for each in upstreams)
