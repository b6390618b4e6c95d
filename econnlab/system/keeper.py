"""Runs a program and ends all that comes of it: python -I -S keeper.py IN OUT TERM_S FOLDER WORDS...

It ends the program when its own stdin closes, which happens even if the lab is killed. What the program
started ends with it: its process group, and on Linux also what has left that group, because orphans become
children of the nearest subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): this process. If this process is
killed, the kernel kills the program (PR_SET_PDEATHSIG), and the lab kills its process group.

IN and OUT are the program's stdin and stdout as descriptors; IN -1 is /dev/null. Its stderr is the keeper's.
The keeper removes FOLDER, unless it is empty text. To stdout it reports ``cannot ERRNO``, or ``started PID``;
when the program ends ``exit CODE`` or ``signal NUMBER``; at the end ``left COUNT``: processes that still ran.
It imports the standard library only, and little of it, because each import costs each run its time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable

#: Helpers of a program that has ended (a resource tracker) notice that within this, and end by themselves.
GRACE_S = 0.2
#: Give up if what is killed has come back for this many seconds.
GIVE_UP_S = 5.0
# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
#: Orphans of the program become our children.
_ADOPTS = os.uname().sysname == "Linux"
_TICK_S = 0.005


def main() -> None:
    """Run the program in argv."""
    read, write, term_s, folder, *words = sys.argv[1:]
    prctl = _prctl()
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        _keep(Program(words, int(read), int(write), prctl), woken, float(term_s))
    finally:
        if folder:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)


def _keep(program: Program, woken: int, term_s: float) -> None:
    if program.error:
        say(f"cannot {program.error}")
        return
    say(f"started {program.pid}")
    told_to_end = False
    while program.status is None and not told_to_end:
        readable, _, _ = select.select([0, woken], [], [])
        told_to_end = 0 in readable and not os.read(0, 4096)
        if woken in readable:
            os.read(woken, 4096)
        program.reap()
    if told_to_end:
        program.signal_group(signal.SIGTERM)
        program.signal_group(signal.SIGCONT)  # a stopped process gets no other signal than SIGKILL
    program.wait(term_s if told_to_end else GRACE_S)
    say(f"left {program.kill()}")


def say(line: str) -> None:
    """Report to the lab, which may be gone."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


def _prctl() -> Callable[[int, int], object]:
    """prctl(2); does nothing elsewhere than on Linux."""
    if not _ADOPTS:
        return lambda option, value: None
    import ctypes

    libc = ctypes.CDLL(None)
    return lambda option, value: libc.prctl(option, value, 0, 0, 0)


class Program:
    """The program's process, and its descendants."""

    def __init__(self, words: list[str], read: int, write: int, prctl: Callable[[int, int], object]) -> None:
        #: The errno of a failed start, or 0.
        self.error = 0
        self.status: int | None = None
        failed, fail = os.pipe()
        keeper = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:  # it was killed before the line above
                os._exit(127)
            _become(words, read, write, fail)
        for fd in (fail, *(fd for fd in (read, write) if fd > 2)):
            os.close(fd)
        told = os.read(failed, 32)  # closed by execve(2), or the errno
        os.close(failed)
        if told:
            os.waitpid(self.pid, 0)
            self.error = int(told)

    def reap(self) -> None:
        """Wait for every process that has ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status
                    code = os.waitstatus_to_exitcode(status)
                    say(f"exit {code}" if code >= 0 else f"signal {-code}")

    def wait(self, seconds: float) -> None:
        """Wait until nothing of it runs, at most this long."""
        deadline = time.monotonic() + seconds
        while self._family() and time.monotonic() < deadline:
            time.sleep(_TICK_S)
            self.reap()

    def kill(self) -> int:
        """Kill all that runs, until nothing does. Returns how many processes there were."""
        left = len(self._family())
        deadline = time.monotonic() + GIVE_UP_S
        while self._family() and time.monotonic() < deadline:
            # Once reaped, the program's pid may belong to another; what it left are our children.
            if self.status is None or not _ADOPTS:
                self.signal_group(signal.SIGKILL)
            for pid in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self.wait(_TICK_S)
        return left

    def _family(self) -> list[int]:
        """Children, also adopted ones; elsewhere than on Linux the group, counted as one."""
        found = _children()
        return found if found or _ADOPTS or not self.signal_group(0) else [self.pid]

    def signal_group(self, number: int) -> bool:
        """Whether there is somebody to get this signal."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _become(words: list[str], read: int, write: int, fail: int) -> None:
    """In the new process: become the program."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY) if read < 0 else read, 0)
        os.dup2(write, 1)
        for fd in {read, write} - {-1, 0, 1, 2}:
            os.close(fd)
        signal.set_wakeup_fd(-1)
        # Signals that Python, or a shell that starts us in the background, ignores would stay ignored.
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


if __name__ == "__main__":
    main()
