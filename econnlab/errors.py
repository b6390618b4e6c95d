"""The one family of errors: each knows its exit code and says what to do next."""

from collections.abc import Iterable
from enum import IntEnum

from econnlab.plaintext import without_passwords

#: What is wrong, and what to do next, if the system refuses a thread.
NO_MORE_THREADS = (
    "The system lets no more threads start.\n"
    "Raise the limit of processes (ulimit -u, pids.max of the control group) or of memory (ulimit -v), "
    "or take fewer sessions."
)


class ExitCode(IntEnum):
    """What the command tells the shell (docs/architecture.md, The contracts)."""

    OK = 0
    EXPECTATION = 1
    USAGE = 2
    ENVIRONMENT = 3
    INTERNAL = 70  # EX_SOFTWARE of sysexits.h: a fault of the lab itself
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class EconnlabError(Exception):
    """Base of every error that the lab raises on purpose.

    ``message`` says what is wrong, ``hint`` what to do next.
    """

    exit_code: ExitCode = ExitCode.ENVIRONMENT

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = without_passwords(message), without_passwords(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def in_one_line(self) -> str:
        """The message and the hint."""
        return f"{self.message} {self.hint}".strip()

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageProblem(EconnlabError):
    """What was asked for makes no sense: exit 2."""

    exit_code = ExitCode.USAGE


class EnvironmentProblem(EconnlabError):
    """This machine cannot do it now: a port is taken, a file cannot be written: exit 3."""


class NothingListens(EnvironmentProblem):
    """The server that the user named refuses connections."""


class ProcessDied(EnvironmentProblem):
    """The lab's own server or link ended in the middle of a run."""


class LabFault(EconnlabError):
    """An unexpected exception in one of the lab's own processes, whose trace is a note: exit 70."""

    exit_code = ExitCode.INTERNAL


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a ``word`` that is not among ``known``: the words near it, or all of them."""
    import difflib

    words = list(known)
    begun = [each for each in words if word and each.startswith(word)][:3]
    near = begun or difflib.get_close_matches(word, words, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(words)}."
