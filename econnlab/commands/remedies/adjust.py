"""How remedies change a scenario, within what its timeouts allow."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from econnlab.discovery import parts
from econnlab.scenario.model import Scenario

#: A client's limit is a round trip and this share of the server's timeout below that timeout.
MARGIN = Decimal("0.2")
#: What only a client with a pool has (``POOLED`` in client/kinds/).
_OF_POOLS = {"idle_limit_ms", "honour_keep_alive_ms", "ping", "stale_check", "pool_size", "pool_order"}
#: A server that is to outlast its clients gets this many times their longest pause.
OUTLASTS = 4


def pooled(scenario: Scenario) -> bool:
    """Whether the scenario's client has a pool."""
    kinds = parts("econnlab.client.kinds")  # a real client's pool is its own
    return scenario.client.kind in kinds and bool(kinds[scenario.client.kind].POOLED)


def client(scenario: Scenario, **changes: Any) -> Scenario | None:
    """``scenario`` with these settings of its client; None if it has them already, or cannot have them."""
    if not pooled(scenario) and _OF_POOLS & changes.keys():
        return None
    changed = replace(scenario.client, **changes)
    return None if changed == scenario.client else replace(scenario, client=changed)


def server(scenario: Scenario, **changes: Any) -> Scenario | None:
    """``scenario`` with these settings of the lab server; None if it has them, or there is no lab server."""
    if scenario.server is None:
        return None
    changed = replace(scenario.server, **changes)
    return None if changed == scenario.server else replace(scenario, server=changed)


def idle_limit_below(scenario: Scenario) -> Decimal | None:
    """The longest safe idle time on this path, ms; None if it is not above 0, or no timeout is known.

    T - round trip - how long the client is blocked - margin, where T is the shortest timeout on the path
    (docs/architecture.md: the keep-alive race).
    """
    timeouts = []
    if scenario.server is not None:
        timeouts.append(scenario.server.keepalive_timeout_ms)
    if scenario.middlebox is not None:
        timeouts.append(scenario.middlebox.idle_timeout_ms)
    if not timeouts:
        return None
    shortest = min(timeouts)
    lost_on_the_way = Decimal(str(scenario.link.round_trip_ms)) + scenario.client.blocked_ms
    limit = shortest * (1 - MARGIN) - lost_on_the_way
    return limit if limit > 0 else None


def longest_pause(scenario: Scenario) -> Decimal:
    """How long a connection of the plan may be idle as the server sees it, in ms."""
    busy = Decimal(0) if scenario.server is None else scenario.server.busy_for_ms
    # The server sees a request only after the client has written it and the server's loop has come round.
    pause = max(scenario.plan.intervals_ms) + scenario.client.blocked_ms + busy
    if scenario.client.pool_size == 1:
        return pause
    return pause * scenario.client.pool_size + Decimal(str(scenario.link.round_trip_ms)) * (
        scenario.client.pool_size - 1
    )
