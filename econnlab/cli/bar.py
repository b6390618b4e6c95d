"""A rate as a bar of text."""

from __future__ import annotations

BAR_WIDTH = 10
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(rate: float, *, ascii_only: bool) -> str:
    """``rate``, from 0 to 1, as a bar of BAR_WIDTH; any rate above 0 is visible."""
    if ascii_only:
        return "#" * round(rate * BAR_WIDTH) or ("." if rate else "")
    eighths = max(round(rate * BAR_WIDTH * 8), 1 if rate else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
