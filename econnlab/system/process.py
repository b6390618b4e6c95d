"""A process that we started: its pipes, its stderr, and its end. It has one owner, who calls ``stop``.

None outlives us, even if we are killed: our own processes end when their stdin closes
(econnlab.system.child), and a keeper ends other programs (econnlab.system.kept).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from econnlab.errors import EconnlabError, EnvironmentProblem, LabFault, ProcessDied

#: Seconds from the request to stop until SIGKILL.
STOP_S = 2.0
#: The end of stderr that is kept to be shown, in bytes.
_SHOWN = 65536
#: The exit code of Python after an uncaught exception.
_UNCAUGHT = 1
#: The folder that contains econnlab.
_ROOT = str(Path(__file__).parent.parent.parent)


class Started(Protocol):
    """What a Process needs of subprocess.Popen, which documents it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    returncode: int | Any

    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


#: Starts ``main`` of the module of this name with this stderr. The process inherits the descriptors under
#: the same numbers. Raises OSError if the system refuses.
Starter = Callable[[str, IO[bytes], Sequence[int]], Started]


def start_python(
    module: str,
    errors: IO[bytes],
    descriptors: Sequence[int] = (),
    *,
    stdin: int = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """A Starter that starts an interpreter, which takes about a tenth of a second."""
    # -P and append: a file in the user's folder must not shadow a module of Python's.
    code = f"import sys; sys.path.append({_ROOT!r}); from {module} import main; main()"
    words = [sys.executable, "-P", "-c", code]
    return start(words, errors, descriptors, stdin=stdin, environment=environment)


def start(
    words: Sequence[str],
    errors: IO[bytes] | int,
    descriptors: Sequence[int] = (),
    *,
    stdin: int = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: Ctrl-C in the terminal reaches only us."""
    return subprocess.Popen(
        words,
        bufsize=0,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=descriptors,
        env=None if environment is None else dict(environment),
        start_new_session=True,
    )


class Process:
    """Owns what ``start`` starts and its stderr. Messages call it ``name``: "The lab's link process".

    Raises EnvironmentProblem if it cannot be started.
    """

    def __init__(self, name: str, start: Callable[[IO[bytes]], Started]) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        try:
            self.running = start(self._errors)
        except OSError as error:  # fork(2): EAGAIN, ENOMEM; execve(2): E2BIG
            self._errors.close()
            raise EnvironmentProblem(
                f"{name} cannot be started: {error.strerror}.",
                "Raise the limit of processes (ulimit -u), or free some memory; and check that this user may "
                f"run {sys.executable}.",
            ) from error
        except BaseException:
            self._errors.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self.running.pid

    def say(self, line: bytes) -> bool:
        """Write ``line`` to its stdin. False if it has died, or ``tell_to_end`` came first."""
        try:
            assert self.running.stdin is not None
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self.running.stdin.fileno(), rest) :]
        except (OSError, ValueError):
            return False
        return True

    def tell_to_end(self) -> None:
        """Close its stdin. A signal handler may call this."""
        if self.running.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self.running.stdin.close()

    def ended(self, within_s: float = 0.0) -> bool:
        """Whether it ends within this many seconds."""
        try:
            self.running.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, patience_s: float | None = None) -> None:
        """End it: with SIGKILL if it takes longer than ``patience_s``, by default STOP_S."""
        self.tell_to_end()
        if not self.ended(STOP_S if patience_s is None else patience_s):
            self.running.kill()
            self.running.wait()

    def close(self) -> None:
        """Close its streams, after ``stop``."""
        self.tell_to_end()
        if self.running.stdout is not None:
            self.running.stdout.close()
        self._errors.close()

    # -- how it ended -----------------------------------------------------------------------------

    @property
    def killed_by(self) -> str | None:
        """The name of the signal that ended it; None after any other end."""
        code = self.running.returncode
        return signal_name(-code) if code is not None and code < 0 else None

    def said(self) -> str:
        """The end of its stderr: text from outside, if it is not one of ours."""
        if self._errors.closed:
            return ""
        fd = self._errors.fileno()  # pread: the process shares the offset
        return os.pread(fd, _SHOWN, max(0, os.fstat(fd).st_size - _SHOWN)).decode("utf-8", "replace")

    def last_words(self) -> str:
        """The last line of its stderr that is not blank, or nothing."""
        return (self.said().strip().splitlines() or [""])[-1]

    def death(self) -> EconnlabError:
        """The error to raise after it has ended, or does not answer; LabFault after an exception of ours."""
        self.ended(STOP_S)
        code, words = self.running.returncode, self.last_words()
        if code == _UNCAUGHT and words:
            fault = LabFault(f"{self.name} failed: {words}")
            fault.add_note(self.said())
            return fault
        how = f"was killed by {self.killed_by}" if self.killed_by else f"ended with code {code}"
        return ProcessDied(
            f"{self.name} {'does not answer' if code is None else how} in the middle of the run.",
            f"It said: {words}" if words else "It said nothing. If memory is short, dmesg says so.",
        )


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
