"""One line of an access log, as far as failures and idle times need it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Access(NamedTuple):
    """One request. Times are seconds; None where the format has none."""

    began: float | None
    ended: float | None
    target: str  # the server that was asked; empty: none, or not logged
    failure: str  # equal for lines that get the same answer; empty: no failure
    lost: bool  # the connection to the target ended before an answer


Reader = Callable[[str], Access | None]


def as_it_stands(line: str) -> str:
    """The line itself."""
    return line


@dataclass(frozen=True)
class Format:
    """How lines are read: ``read`` returns None for a line of another shape."""

    name: str
    read: Reader
    #: A failed line as ``explain`` knows it.
    explained: Callable[[str], str] = as_it_stands
    has_targets: bool = True
