"""The lab server alone, for the user's own client."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from econnlab.lab.certificates import make_certificate
from econnlab.lab.children import Child
from econnlab.lab.limits import raise_descriptors
from econnlab.lab.listeners import bind
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.server import ServerSpec
from econnlab.server.settings import ServerSettings


class LoneServer:
    """A context manager: inside it the server lives, and ``events`` returns what happens to it."""

    def __init__(self, spec: ServerSpec) -> None:
        self._spec = spec
        self._stopped = False
        #: A file with the certificate authority that clients have to trust; None without TLS.
        self.authority: str | None = None

    def __enter__(self) -> LoneServer:
        raise_descriptors()
        settings = ServerSettings(spec=self._spec)
        if self._spec.tls:
            made = make_certificate(self._spec.host)
            self.authority = made.authority_file
            settings = ServerSettings(
                spec=self._spec,
                certificate=made.server,
                authority=made.authority,
                authority_file=made.authority_file,
            )
        self.child = Child("econnlab.server", bind(self._spec.host, self._spec.port), settings)
        self.port = self.child.port
        try:
            self.child.wait_until_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()
        if self.authority is not None:  # the server has removed it, unless it was killed
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.authority)

    def interrupt(self) -> None:
        """Make ``events`` end. A signal handler may call this."""
        self._stopped = True

    def events(self) -> Iterator[ConnectionEvent]:
        """Each event as it happens, until ``interrupt``; then the last ones.

        Raises ProcessDied or LabFault if the server ends by itself.
        """
        for batch in self.child.batches(lambda: self._stopped):
            yield from batch
