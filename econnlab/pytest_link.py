"""The link that the fixture ``econnlab_link`` starts: the relay in front of a service of the user's own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from econnlab.commands.link.lone_link import LoneLink
from econnlab.commands.link.report import LinkTicker
from econnlab.errors import EconnlabError
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.orders import Act, Do, parse_settings
from econnlab.scenario.places import LOOPBACK, Place, parse_place, parse_url
from econnlab.scenario.treatment import Treatment


class UserLink:
    """A link in front of ``to``: a URL, or HOST:PORT for anything else that speaks TCP.

    A context manager. ``url`` is ``to`` with the link's address in place of the service's; ``address`` is its
    host and port. ``change`` takes the words of ``econnlab link``: ``delay``, ``idle_drop``, ``reset_after``,
    ``limit``, ``fail_first``. Raises UsageProblem, EnvironmentProblem.
    """

    def __init__(self, to: str, settings: dict[str, Any], seed: int = 1) -> None:
        self._to = to
        treatment = parse_settings(_words(settings)).applied_to(Treatment()) if settings else Treatment()
        self._link = LoneLink(treatment, Place(LOOPBACK, 0), _place(to), seed)
        self._events: list[ConnectionEvent] = []
        self._reader = threading.Thread(target=self._read, name="econnlab-link", daemon=True)

    def __enter__(self) -> UserLink:
        self._link.__enter__()
        try:
            self._reader.start()
        except BaseException:
            self._link.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._link.interrupt()
        self._link.wake()
        self._reader.join()
        self._link.__exit__()

    def _read(self) -> None:
        for batch in self._link.events():
            self._events += batch

    def __repr__(self) -> str:
        return f"<link at {self._link.place} to {self._link.to}>"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the link."""
        return self._link.place.host, self._link.place.port

    @property
    def url(self) -> str:
        """Where the client under test connects."""
        if "://" not in self._to:
            return str(self._link.place)
        return urlunsplit(urlsplit(self._to)._replace(netloc=str(self._link.place)))

    def change(self, **settings: Any) -> None:
        """Change what the link does, of all its connections at one moment; it is in effect on return."""
        self._link.obey(parse_settings(_words(settings)))

    def reset(self, connection: int | None = None) -> None:
        """Send an RST to both ends of every connection, or of number ``connection``, now."""
        self._link.obey(Do(Act.RESET, connection))

    def pause(self, connection: int | None = None) -> None:
        """Hold all bytes and ends."""
        self._link.obey(Do(Act.PAUSE, connection))

    def resume(self, connection: int | None = None) -> None:
        """Pass on what ``pause`` held."""
        self._link.obey(Do(Act.RESUME, connection))

    def status(self) -> dict[str, Any]:
        """The settings, totals and connections, as ``econnlab link --api`` gives them."""
        return self._link.status()

    def lines(self) -> Iterable[str]:
        """What happened, a line per event."""
        with contextlib.suppress(EconnlabError):
            self._link.status()  # everything up to now has come
        ticker = LinkTicker()
        return [line for event in list(self._events) if (line := ticker.line(event)) is not None]


def _words(settings: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in settings.items()}


def _place(to: str) -> Place:
    if "://" not in to:
        return parse_place(to)
    _, host, port = parse_url(to)
    return Place(host, port)
