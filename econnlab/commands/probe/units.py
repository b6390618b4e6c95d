"""Times as people read them."""

from __future__ import annotations


def duration(ms: float) -> str:
    """``6.003 s``, ``300.4 ms``."""
    return f"{ms / 1000:.4g} s" if ms >= 1000 else millis(ms)


def millis(ms: float) -> str:
    """``1234 ms``, ``0.12 ms``."""
    return f"{ms:.4g} ms" if ms >= 1 else f"{ms:.2g} ms"
