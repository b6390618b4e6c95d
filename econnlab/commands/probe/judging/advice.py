"""How long a client may keep an idle connection to this server, and which line sets it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

#: The margin: this share of the server's time, at most a second (as in attribution/packets/advice.py).
_MARGIN, _WIDEST_MARGIN_S = 0.2, 1.0
#: Rounded down to two digits, or up by no more than this share of the margin: 0.7995 s is 0.8 s.
_AS_GOOD_AS = 0.02
#: Below this, keeping connections is useless, and no limit is given.
_LEAST_S = 0.002


@dataclass(frozen=True, slots=True)
class Setting:
    """A client or balancer, and the line that sets its limit."""

    client: str
    line: str
    #: What else to know; mostly nothing.
    remark: str = ""


def limit_s(first_loss_s: float | None) -> float | None:
    """The first loss (T - RTT) less a margin, rounded down; None if nothing is lost, or nothing is left."""
    if first_loss_s is None:
        return None
    margin = min(_WIDEST_MARGIN_S, _MARGIN * first_loss_s)
    left = first_loss_s - margin
    if left < _LEAST_S:
        return None
    step = 10.0 ** (math.floor(math.log10(left)) - 1)
    return round(math.floor((left + _AS_GOOD_AS * margin) / step) * step, 6)


def settings(limit: float) -> Iterator[Setting]:
    """The lines of the common clients and balancers, for a limit in seconds."""
    ms, text = round(limit * 1000), f"{limit:g}"
    yield Setting(
        "requests",
        f'session.mount("https://", IdleLimitAdapter(idle_limit={text}))',
        "from econnlab.client; requests itself has no limit (urllib3 #3184)",
    )
    yield Setting("httpx", f"httpx.Client(limits=httpx.Limits(keepalive_expiry={text}))")
    yield Setting("aiohttp", f"aiohttp.TCPConnector(keepalive_timeout={text})")
    yield Setting(
        "Node http",
        f"new http.Agent({{ keepAlive: true, timeout: {ms} }})",
        "for free sockets; it does not end slow answers of axios, got, node-fetch or http.get",
    )
    yield Setting("undici, fetch", f"new Agent({{ keepAliveTimeout: {ms}, keepAliveMaxTimeout: {ms} }})")
    yield Setting("Go", f"&http.Transport{{IdleConnTimeout: {ms} * time.Millisecond}}")
    yield Setting("nginx upstream", f"keepalive_timeout {ms}ms;")
    yield Setting(
        "Envoy cluster",
        f"common_http_protocol_options: {{ idle_timeout: {text}s }}",
        "in its HttpProtocolOptions",
    )
    if limit >= 1:
        yield Setting(
            "AWS ALB",
            f"idle_timeout.timeout_seconds={math.floor(limit)}",
            "it also ends answers silent for longer (504): raise the server's time first if it is yours",
        )
    else:
        yield Setting(
            "AWS ALB", "", "takes whole seconds from 1 on, so the server must keep connections longer"
        )
