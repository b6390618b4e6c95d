"""The idle limits of a scenario's client."""

from __future__ import annotations

from econnlab.client.idle_limit import IdleLimits
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.durations import seconds


def idle_limits(spec: ClientSpec) -> IdleLimits:
    """The limits of ``spec``, in seconds; by default there are none."""
    margin_ms = spec.honour_keep_alive_ms
    return IdleLimits(
        idle_limit=None if spec.idle_limit_ms is None else seconds(spec.idle_limit_ms),
        honour_keep_alive=margin_ms is not None,
        keep_alive_margin=0.0 if margin_ms is None else seconds(margin_ms),
    )
