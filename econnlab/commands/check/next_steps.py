"""The commands to run after ``check``. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def after_check(broken: Sequence[str]) -> list[str]:
    """The first scenario that broke the command, and what helps against it."""
    if not broken:
        return ["econnlab probe URL"]
    first = shlex.quote(broken[0])
    return [f"econnlab run {first}", f"econnlab remedies {first}", "econnlab remedies --show retry"]
