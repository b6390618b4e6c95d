"""A server that is not ours, run in the foreground: found, started, awaited, stopped."""

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from econnlab.errors import EnvironmentProblem
from econnlab.system.clock import now
from econnlab.system.kept import KeptProgram

#: A healthy program listens within this many seconds.
LISTEN_S = 10.0
_ASK_AGAIN_S = 0.02


class PeerProcess:
    """Starts ``command(folder)``, which is to listen on 127.0.0.1 ``port``, with a folder for its files."""

    def __init__(self, name: str, port: int, command: Callable[[Path], list[str]]) -> None:
        self.port = port
        self._folder = tempfile.TemporaryDirectory(prefix=f"econnlab-{name}-")
        try:
            words = command(Path(self._folder.name))
            self._kept = KeptProgram(name, words, folder=self._folder.name)
        except BaseException:
            self._folder.cleanup()
            raise

    def wait_until_listening(self) -> None:
        """Raises EnvironmentProblem, with the last line of its output, if it ends or is too slow."""
        deadline = now() + LISTEN_S
        while True:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._kept.ended(_ASK_AGAIN_S) or now() >= deadline:
                said = self._kept.last_words() or "nothing"
                raise EnvironmentProblem(f"{self._kept.name} does not start.", f"It said: {said}")

    def stop(self) -> None:
        """End it, and remove its files."""
        self._kept.stop()
        self._kept.close()
        self._folder.cleanup()
