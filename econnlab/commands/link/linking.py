"""A link alone, in front of anything that speaks TCP: its process, and what one may say to it."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from econnlab.commands.link.tally import Tally
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.limits import WANTED_CONNECTIONS, raise_descriptors
from econnlab.lab.listeners import bind
from econnlab.lab.processes import ANSWER_S, TICK_S, Child
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.codec import encode
from econnlab.scenario.orders import Change, Do
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import Treatment


class Linking:
    """A context manager: inside it the link lives. ``events`` is for one thread; the others are for any."""

    def __init__(self, treatment: Treatment, listen: Place, to: Place, seed: int) -> None:
        self._treatment = treatment
        self._listen = listen
        self.to = to
        self._seed = seed
        self._stopped = False
        self._ended = False
        self._tally = Tally()
        #: Guards the tally and what is said to the child; told whenever events have been counted in.
        self._counted = threading.Condition()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Linking:
        raise_descriptors(2 * WANTED_CONNECTIONS)
        candidates = addresses_of(self.to)
        listener = bind(self._listen.host, self._listen.port, "--listen")
        bound = listener.getsockname()
        self.place = Place(str(bound[0]), int(bound[1]))
        if _leads_to_itself(self.place, candidates):
            listener.close()
            raise UsageProblem(
                f"The link would connect to itself at {self.place}.",
                "Give another port to --listen or --to.",
            )
        settings = {"treatment": encode(self._treatment), "seed": self._seed, "candidates": candidates}
        self._child = Child("econnlab.link", listener, settings, lambda: None)
        try:
            self._child.wait_until_listening()
        except BaseException:
            self._child.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def interrupt(self) -> None:
        """Make ``events`` end; may be called from a signal handler."""
        self._stopped = True

    def take_no_more(self) -> None:
        """Whoever says something, or waits for an answer, is told that it is over."""
        with self._counted:
            self._ended = True
            self._counted.notify_all()

    def _end(self) -> None:
        self.take_no_more()
        self._child.stop()

    def events(self) -> Iterator[list[ConnectionEvent]]:
        """What has happened, a batch at a time, until ``interrupt``; then what happened at the end.

        A batch may be empty: nothing has happened for TICK_S. Raises ProcessDied when the link has ended
        by itself.
        """
        while not self._stopped:
            yield self._count(self._child.wait_for_events(TICK_S))
            if not self._child.alive and not self._stopped:
                raise self._child.death()
        self._end()
        yield self._count(self._child.take_events())

    def wake(self) -> None:
        """Have ``events`` give a batch now, though it be empty."""
        self._child.wake()

    def _count(self, events: list[ConnectionEvent]) -> list[ConnectionEvent]:
        with self._counted:
            for event in events:
                self._tally.take(event)
            self._counted.notify_all()
        return [event for event in events if event.kind not in (Kind.SYNC, Kind.COUNTED)]

    # -- what one may say to it -----------------------------------------------------------------

    def obey(self, order: Change | Do) -> None:
        """Have ``order`` carried out; when this returns, it has been.

        Raises UsageProblem where it names a connection that is not open.
        """
        if isinstance(order, Change):
            command: dict[str, Any] = {"treat": {key: encode(value) for key, value in order.values.items()}}
        else:
            command = {"act": order.act.value, "connection": order.connection}
        with self._counted:
            if isinstance(order, Do) and order.connection is not None:
                self._tell_and_wait(None)  # else it may have come, and not have been counted in
                if order.connection not in self._tally.open:
                    raise UsageProblem(f"Connection {order.connection} is not open.")
            self._tell_and_wait(command)

    def status(self) -> dict[str, Any]:
        """What is set, and which connections there are, as what the json module writes."""
        with self._counted:
            self._tell_and_wait({"count": True})
            return self._status()

    def _tell_and_wait(self, command: dict[str, Any] | None) -> None:
        number = str(next(self._numbers))
        if not self._ended:
            for each in (command, {"sync": number}):
                if each is not None:
                    self._child.tell(each)
        if not self._counted.wait_for(lambda: self._ended or _reached(self._tally.synced, number), ANSWER_S):
            raise EnvironmentProblem("The link does not answer.")
        if self._ended:
            raise EnvironmentProblem("The link has ended.")

    def _status(self) -> dict[str, Any]:
        tally = self._tally
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

    @property
    def tally(self) -> Tally:
        """For the thread of ``events``."""
        return self._tally


def _reached(synced: str, number: str) -> bool:
    return synced.isdigit() and int(synced) >= int(number)


def addresses_of(place: Place) -> list[tuple[str, int]]:
    """Where ``place`` is, the likeliest first. Raises EnvironmentProblem where its name is unknown."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no name"
        raise EnvironmentProblem(f"{place.host!r} cannot be resolved: {said}.", "Check the name.") from error
    return list(dict.fromkeys((str(where[0]), int(where[1])) for *_, where in found))


def _leads_to_itself(here: Place, candidates: list[tuple[str, int]]) -> bool:
    mine = {here.host}
    if here.host in ("0.0.0.0", "::"):
        mine |= {"127.0.0.1", "::1", "0.0.0.0", "::"}
    return any(port == here.port and host in mine for host, port in candidates)
