"""Real HTTP clients behind one small interface, with an observer of each.

Three names are for use in other programs: ``IdleLimitAdapter`` for requests, ``limit_idle`` with
``IdleLimits`` for urllib3. Each is imported when it is first used. See docs/idle-limit.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from econnlab.client.idle_adapter import IdleLimitAdapter
    from econnlab.client.idle_limit import IdleLimits, limit_idle

__all__ = ["IdleLimitAdapter", "IdleLimits", "limit_idle"]

_HOMES = {"IdleLimitAdapter": "idle_adapter", "IdleLimits": "idle_limit", "limit_idle": "idle_limit"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
