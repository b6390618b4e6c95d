"""What can become of a command under a scenario."""

from __future__ import annotations

from enum import StrEnum


class Survival(StrEnum):
    """What became of a command under a scenario: the worst that is true, worst first."""

    DUPLICATED = "duplicated"  # a request that is not idempotent was carried out more often than when calm
    HUNG = "hung"  # still running when its time was over
    LOST = "lost"  # exit code 0, and yet a request was not carried out, or never answered whole
    FAILED = "failed"  # it says so itself; nothing was carried out twice
    SURVIVED = "survived"
    NOT_MET = "not_met"  # as survived, but it never gave the scenario's trouble an occasion

    @property
    def word(self) -> str:
        """As people read it."""
        return self.value.replace("_", " ")
