"""How one run of the user's command ended, and what it said."""

from __future__ import annotations

from dataclasses import dataclass

#: How many bytes of a command's output are kept: the last ones.
KEPT_BYTES = 65536


@dataclass(frozen=True)
class CommandEnd:
    """How one run of the command ended. ``took_s`` is in seconds, to its end or until it was killed."""

    #: Its exit code; None if a signal ended it.
    code: int | None
    #: The name of the signal that ended it.
    signal: str | None = None
    #: It did not end in time, and was killed.
    timed_out: bool = False
    took_s: float = 0.0
    #: The last KEPT_BYTES of what it and its children wrote to stdout and stderr; text from outside.
    output: str = ""
    #: How many bytes they wrote in all.
    output_bytes: int = 0
    #: How many processes of its own still ran after its end, and were killed.
    left_behind: int = 0

    @property
    def claims_success(self) -> bool:
        """It ended by itself with exit code 0."""
        return self.code == 0 and not self.timed_out

    @property
    def last_line(self) -> str:
        """The last line that is not blank, or nothing."""
        lines = self.output.strip().splitlines()
        return lines[-1].strip() if lines else ""

    def __str__(self) -> str:
        if self.timed_out:
            return f"still running after {self.took_s:.1f} s"
        return f"killed by {self.signal}" if self.signal else f"exit code {self.code}"
