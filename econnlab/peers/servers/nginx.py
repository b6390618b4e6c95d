"""nginx, answering by itself."""

from __future__ import annotations

from econnlab.peers.command import Command, Ledger, ServerOrder
from econnlab.peers.named import PeerName
from econnlab.peers.store import find_program, said_version

NAME = "nginx"
HELP = "nginx, answering by itself"
INSTALL = "debian:nginx-light"
PRODUCT = "nginx"
LEDGER = Ledger.NOTHING
CANNOT: dict[str, str] = {
    "response_delay": "nginx answers at once",
    "max_connections": "its limit_conn answers 503 instead of closing",
}
STEP_MS = 1000

# One process in the foreground, and every file in a folder of the run's own, so that it needs no root.
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {timeout}
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "ok\\n"; }}
    }}
}}
"""


def command(name: PeerName, order: ServerOrder) -> Command:
    """``keepalive_timeout``, in whole seconds."""
    program = find_program("nginx", "nginx-light")
    text = _CONFIGURATION.format(folder=order.folder, port=order.port, timeout=_timeout(order))
    file = order.write("nginx.conf", text)
    return Command(
        (program, "-p", str(order.folder), "-e", "stderr", "-c", file), said_version(program, "-v")
    )


def _timeout(order: ServerOrder) -> str:
    if order.keepalive_timeout_ms is None:
        return ""
    return f"keepalive_timeout {order.keepalive_timeout_ms // 1000}s;"
