"""HAProxy, answering by itself."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.store import find_program, said_version

NAME = "haproxy"
HELP = "HAProxy, answering by itself"
INSTALL = "debian:haproxy"
PRODUCT = "haproxy"
LEDGER = Ledger.NOTHING
CANNOT: dict[str, str] = {
    "response_delay": "HAProxy answers at once",
    "max_connections": "its maxconn leaves further ones in the queue of the kernel",
}
STEP_MS = 1

_CONFIGURATION = """
global
    maxconn 4096
defaults
    mode http
    timeout client 60s
    {timeout}
frontend lab
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string "ok"
"""


def command(name: PeerName, order: ServerOrder) -> Command:
    """``timeout http-keep-alive``."""
    program = find_program("haproxy", "haproxy")
    kept = order.keepalive_timeout_ms
    timeout = "" if kept is None else f"timeout http-keep-alive {kept}ms"
    file = order.write("haproxy.cfg", _CONFIGURATION.format(port=order.port, timeout=timeout))
    return Command((program, "-db", "-f", file), said_version(program, "-v"))
