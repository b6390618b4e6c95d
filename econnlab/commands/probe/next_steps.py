"""The commands to run after ``probe``. Pure."""

from __future__ import annotations

import shlex

_CHECK = "econnlab check --scenario keepalive-race -- COMMAND {url}"


def after_probe(url: str, limit_ms: float | None) -> list[str]:
    """What to set, on the server first if it is the user's own, and whether their client stands it."""
    if limit_ms is None:
        return [f"econnlab probe {shlex.quote(url)} --max-wait 2m", _CHECK]
    return [
        "econnlab remedies --show server-timeout",
        "econnlab remedies --show idle-limit --for requests",
        _CHECK,
    ]
