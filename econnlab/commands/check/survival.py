"""The verdicts of a check."""

from __future__ import annotations

from enum import StrEnum


class Survival(StrEnum):
    """What became of a command under a scenario. The worst that applies is the verdict; worst first."""

    DUPLICATED = "duplicated"  # a request that is not idempotent was carried out more often than when calm
    HUNG = "hung"  # still running when its time was over
    LOST = "lost"  # exit code 0, and yet a request was not carried out, or never answered whole
    FAILED = "failed"  # it reports the failure; nothing was carried out twice
    SURVIVED = "survived"
    NOT_MET = "not_met"  # as survived, but the trouble never met it: nothing was tested

    @property
    def word(self) -> str:
        """The word that people read."""
        return self.value.replace("_", " ")

    @property
    def spelled(self) -> str:
        """The word for options and files."""
        return self.value.replace("_", "-")
