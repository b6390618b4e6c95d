"""A peer that talks: JSON Lines from its stdout, and to its stdin."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from econnlab.errors import EconnlabError, EnvironmentProblem
from econnlab.peers.command import Command
from econnlab.system.kept import KeptProgram

#: A line of a peer has at most some hundred bytes.
_LONGEST_LINE = 1_000_000
_STARTED_S = 20.0
_READ = 65536


class TalkingPeer:
    """Runs ``command``; each line it says goes to ``hear``, in a thread of its own, and None at the end.

    ``name`` is for messages. Raises EnvironmentProblem if it cannot be started.
    """

    def __init__(
        self, name: str, command: Command, hear: Callable[[Mapping[str, Any] | None], None], folder: str = ""
    ) -> None:
        self.name = name
        self._hear = hear
        read, self._say_to = os.pipe()
        self._hear_from, write = os.pipe()
        environment = {**os.environ, **command.environment}
        try:
            self._kept = KeptProgram(
                name, command.words, stdin=read, stdout=write, environment=environment, folder=folder
            )
        except BaseException:
            os.close(self._say_to)
            os.close(self._hear_from)
            raise
        finally:
            os.close(read)
            os.close(write)
        self._reader = threading.Thread(target=self._read, name=f"econnlab-{name}", daemon=True)
        self._reader.start()

    def say(self, line: Mapping[str, Any]) -> bool:
        """Write ``line`` to it. False if it has ended."""
        rest = memoryview((json.dumps(line) + "\n").encode())
        try:
            while rest:
                rest = rest[os.write(self._say_to, rest) :]
        except OSError:
            return False
        return True

    def group(self) -> int | None:
        """Its process group; None if it was not started."""
        return self._kept.program()

    def ended(self, within_s: float = 0.0) -> bool:
        """Whether it ends within this many seconds."""
        return self._kept.ended(within_s)

    def death(self) -> EconnlabError:
        """The error to raise after it has ended by itself."""
        said = self._kept.last_words() or "nothing"
        return EnvironmentProblem(f"{self.name} ended in the middle of the run.", f"It said: {said}")

    def not_started(self) -> EconnlabError:
        """The error to raise if it does not get ready."""
        said = self._kept.last_words() or "nothing"
        return EnvironmentProblem(f"{self.name} does not start.", f"It said: {said}")

    def stop(self) -> None:
        """End it, and hear the rest of what it said."""
        with contextlib.suppress(OSError):
            os.close(self._say_to)
        self._kept.stop()
        self._reader.join()
        self._kept.close()

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while came := os.read(self._hear_from, _READ):
                *lines, rest = (rest + came).split(b"\n")
                for line in lines:
                    self._heard(line)
                if len(rest) > _LONGEST_LINE:
                    break
        os.close(self._hear_from)
        self._hear(None)

    def _heard(self, line: bytes) -> None:
        # What is not a JSON object is the program's own output.
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if isinstance(said, dict):
                self._hear(said)
