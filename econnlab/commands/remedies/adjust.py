"""How remedies fit a scenario: what its timeouts allow."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from econnlab.scenario.model import Scenario

#: A client's limit stays a round trip and this share of the server's timeout below it.
MARGIN = Decimal("0.2")
#: What only a client with a pool can do (client/kinds/).
_OF_POOLS = {"idle_limit_ms", "keep_alive_margin_ms", "ping", "stale_check", "pool_size", "pool_order"}
_WITHOUT_POOL = "http.client"
#: A server's timeout, where it is to outlast its clients, is this many times their longest pause.
OUTLASTS = 4


def client(scenario: Scenario, **changes: Any) -> Scenario | None:
    """``scenario`` with these settings of its client; None where it has them already, or cannot have them."""
    if scenario.client.kind == _WITHOUT_POOL and _OF_POOLS & changes.keys():
        return None
    changed = replace(scenario.client, **changes)
    return None if changed == scenario.client else replace(scenario, client=changed)


def server(scenario: Scenario, **changes: Any) -> Scenario | None:
    """``scenario`` with these settings of the lab server; None where it has them, or there is none."""
    if scenario.server is None:
        return None
    changed = replace(scenario.server, **changes)
    return None if changed == scenario.server else replace(scenario, server=changed)


def idle_limit_below(scenario: Scenario) -> Decimal | None:
    """The longest idle time in ms that is safe on this path; None where nobody ends idle connections in time.

    T - round trip - how long the client is held up - margin, T being the shortest of the timeouts on the
    way (docs/architecture.md, The keep-alive race).
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
    """How long a connection of the plan may be idle for the server's code, in ms."""
    busy = Decimal(0) if scenario.server is None else scenario.server.busy_for_ms
    # A request is not seen before the client has written it and the server's loop has come round.
    pause = max(scenario.plan.intervals_ms) + scenario.client.blocked_ms + busy
    if scenario.client.pool_size == 1:
        return pause
    return pause * scenario.client.pool_size + Decimal(str(scenario.link.round_trip_ms)) * (
        scenario.client.pool_size - 1
    )
