"""The expectations of a scenario."""

import re
from dataclasses import dataclass

from econnlab.errors import UsageProblem

_COUNT = re.compile(r"(?P<low>[0-9]+)(?P<range>\.\.(?P<high>[0-9]+)?)?")


@dataclass(frozen=True)
class Count:
    """A number from ``low`` to ``high``, both included; without ``high`` there is no upper bound."""

    low: int
    high: int | None

    def __contains__(self, number: int) -> bool:
        return self.low <= number and (self.high is None or number <= self.high)

    def __str__(self) -> str:
        if self.low == self.high:
            return str(self.low)
        return f"{self.low}.." if self.high is None else f"{self.low}..{self.high}"


def parse_count(text: str) -> Count:
    """``10`` (exactly), ``8..12`` (both included) or ``5..`` (at least). Raises UsageProblem for all else."""
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        raise UsageProblem(f"{text!r} is not a count.", "Give it as 10, 8..12 or 5.. (at least).")
    low = int(found["low"])
    if not found["range"]:
        return Count(low, low)
    high = int(found["high"]) if found["high"] else None
    if high is not None and high < low:
        raise UsageProblem(f"{text!r} ends before it begins.", f"Give it as {high}..{low}.")
    return Count(low, high)


@dataclass(frozen=True)
class ProcessedCounts:
    """How many requests the server never carried out, once, more than once. None: any number."""

    lost: Count | None = None
    once: Count | None = None
    more: Count | None = None


@dataclass(frozen=True)
class Expect:
    """Of the requests: how many succeeded and failed. Of the failed attempts: outcomes and causes.

    None is not checked. Outcomes and causes that are not named must not occur.
    """

    success: Count | None = None
    failure: Count | None = None
    outcomes: dict[str, Count] | None = None
    causes: dict[str, Count] | None = None
    processed: ProcessedCounts | None = None
