"""Versions, and the ranges of them that share a behaviour: ``8..20.17, 21..22.8``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from econnlab.errors import UsageProblem

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """``(20, 17)`` for ``20.17``, ``v20.17``. Raises UsageProblem."""
    digits = text.strip().removeprefix("v")
    if not _VERSION.fullmatch(digits):
        raise UsageProblem(f"{text!r} is no version.", "Give numbers, as 20 or 20.17.1.")
    return tuple(map(int, digits.split(".")))


@dataclass(frozen=True)
class Versions:
    """Ranges of versions; an end that is None is open. An end includes all that begins with it: 20.17.1 is in
    ``..20.17``.
    """

    ranges: tuple[tuple[Version | None, Version | None], ...]

    def hold(self, version: Version) -> bool:
        """Whether ``version`` is in one of the ranges; ``20`` is where its latest releases are."""
        return any(
            (first is None or _padded(version, first) >= first)
            and (last is None or _padded(version, last)[: len(last)] <= last)
            for first, last in self.ranges
        )


def _padded(version: Version, end: Version) -> Version:
    # What is not said is the latest: "node20" is a 20 of today, not 20.0.
    return version + (10**6,) * max(0, len(end) - len(version))


def parse_versions(text: str) -> Versions:
    """The ranges in ``text``; where it is empty, every version. Raises UsageProblem."""
    if not text.strip():
        return Versions(((None, None),))
    return Versions(tuple(_range(part) for part in text.split(",")))


def _range(text: str) -> tuple[Version | None, Version | None]:
    first, dots, last = text.strip().partition("..")
    if not dots:
        return parse_version(first), parse_version(first)
    return parse_version(first) if first else None, parse_version(last) if last else None
