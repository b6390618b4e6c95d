"""The one clock: seconds of CLOCK_MONOTONIC, the same in all processes of a machine."""

from __future__ import annotations

from time import monotonic as now

__all__ = ["now"]
