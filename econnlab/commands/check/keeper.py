"""Runs a command of the user's and ends all that comes of it: a script, as ``python -I -S keeper.py``.

It ends the command when stdin closes, however that comes about: its time is over, or the lab is gone, also by
SIGKILL. What the command started ends with it: its process group, and on Linux what has left that group as
well, for orphans become children of the nearest subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): this process.

To stdout it says ``cannot ERRNO``, or ``exit CODE`` or ``signal NUMBER`` at once when the command ends, and
then ``left COUNT``: processes that still ran. The command's own output goes to stderr. It needs the standard
library alone: every import costs each run its time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

#: What has been told to end gets this long before SIGKILL.
TERM_S = 0.3
#: Helpers of a command that has ended (a resource tracker) see that within this, and end by themselves.
GRACE_S = 0.2
#: After so long in which what is killed comes back, give up.
GIVE_UP_S = 5.0
_PR_SET_CHILD_SUBREAPER = 36
#: Orphans of the command become our children.
_ADOPTS = os.uname().sysname == "Linux"
_TICK_S = 0.005


def main() -> None:
    """Run the command in argv."""
    _adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    command = Command(sys.argv[1:])
    if command.error:
        say(f"cannot {command.error}")
        return
    told_to_end = False
    while command.status is None and not told_to_end:
        readable, _, _ = select.select([0, woken], [], [])
        told_to_end = 0 in readable and not os.read(0, 4096)
        if woken in readable:
            os.read(woken, 4096)
        command.reap()
    if told_to_end:
        command.tell_to_end()
    left = command.end_family(0.0 if told_to_end else GRACE_S)
    say(f"left {left}")


def say(line: str) -> None:
    """To the lab, which may be gone."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


class Command:
    """The command's process, and its descendants."""

    def __init__(self, words: list[str]) -> None:
        #: The errno with which it could not be started; 0 where it could.
        self.error = 0
        self.status: int | None = None
        failed, fail = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _become(words, fail)
        os.close(fail)
        told = os.read(failed, 32)  # closed by execve(2), or told what went wrong
        os.close(failed)
        if told:
            os.waitpid(self.pid, 0)
            self.error = int(told)

    def reap(self) -> None:
        """Take notice of every process that has ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status
                    code = os.waitstatus_to_exitcode(status)
                    say(f"exit {code}" if code >= 0 else f"signal {-code}")

    def tell_to_end(self) -> None:
        """SIGTERM, and some time to follow it."""
        self._signal_group(signal.SIGTERM)
        deadline = time.monotonic() + TERM_S
        while self._family() and time.monotonic() < deadline:
            time.sleep(_TICK_S)
            self.reap()

    def end_family(self, grace_s: float) -> int:
        """Kill what there is after ``grace_s`` seconds, until nothing is; how many were there."""
        began = time.monotonic()
        while (left := self._family()) and time.monotonic() - began < grace_s:
            time.sleep(_TICK_S)
            self.reap()
        there = len(left)
        while self._family() and time.monotonic() - began < GIVE_UP_S:
            # Once the command has been reaped its number may be another's; those it left are children here.
            if self.status is None or not _ADOPTS:
                self._signal_group(signal.SIGKILL)
            for pid in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_TICK_S)
            self.reap()
        return there

    def _family(self) -> list[int]:
        """Children, those adopted with them; elsewhere than on Linux the group, as one."""
        found = _children()
        if found or _ADOPTS:
            return found
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, 0)
            return [self.pid]
        return []

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def _become(words: list[str], fail: int) -> None:
    """In the new process: the command, with nothing on stdin and stderr for all it says."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        signal.set_wakeup_fd(-1)
        # What Python, or a shell that starts us in the background, ignores would stay ignored.
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(words[0], words)
    except OSError as error:
        os.write(fail, str(error.errno).encode())
    finally:
        os._exit(127)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listed:
            return [int(pid) for pid in listed.read().split()]
    except OSError:
        return []


def _adopt_orphans() -> None:
    if _ADOPTS:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
