"""The one clock: seconds on CLOCK_MONOTONIC, which all processes of a machine share."""

from __future__ import annotations

from time import monotonic as now

__all__ = ["now"]
