"""The lab server alone, in the foreground, for anybody's client."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from econnlab.lab.certificates import make_certificate
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.listeners import bind
from econnlab.lab.processes import TICK_S, Child
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.codec import encode
from econnlab.scenario.server import ServerSpec


class Serving:
    """A context manager: inside it the server lives, and ``events`` tells what happens to it."""

    def __init__(self, spec: ServerSpec) -> None:
        self._spec = spec
        self._stopped = False
        #: A file with the certificate authority that clients are to trust, where it speaks TLS.
        self.authority: str | None = None

    def __enter__(self) -> Serving:
        raise_descriptors()
        with contextlib.ExitStack() as begun:
            settings: dict[str, Any] = {"spec": encode(self._spec)}
            if self._spec.tls:
                folder = begun.enter_context(tempfile.TemporaryDirectory(prefix="econnlab-"))
                made = make_certificate(Path(folder), self._spec.host)
                settings["certificate"], self.authority = made.server, made.authority
                settings["remove"] = folder  # by the server, should we be killed
            listener = bind(self._spec.host, self._spec.port)
            self.port: int = listener.getsockname()[1]
            self._child = Child("econnlab.server", listener, settings, lambda: None)
            begun.callback(self._child.stop)
            self._child.wait_until_listening()
            self._begun = begun.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begun.close()

    def interrupt(self) -> None:
        """Make ``events`` end; may be called from a signal handler."""
        self._stopped = True

    def events(self) -> Iterator[ConnectionEvent]:
        """Each event as it happens, until ``interrupt``; then those of the end.

        Raises ProcessDied when the server has ended by itself.
        """
        while not self._stopped:
            yield from self._child.wait_for_events(TICK_S)
            if not self._child.alive and not self._stopped:
                raise self._child.death()
        self._child.stop()
        yield from self._child.take_events()
