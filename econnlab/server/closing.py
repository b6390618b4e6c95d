"""The end of a connection as the ledger tells it."""

from __future__ import annotations

from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.system.clock import now
from econnlab.system.sockets import Closable, reset_on_close, unread_bytes


def close_socket(
    ledger: Ledger,
    sock: Closable,
    number: int,
    reason: str,
    close_with: str,
    idle_s: float | None = None,
) -> None:
    """Close ``sock`` and enter how it ended: tcp_close() answers unread bytes with RST (RFC 2525 2.17)."""
    if close_with == "rst":
        reset_on_close(sock)
    unread = unread_bytes(sock)
    at = now()
    sock.close()
    how = "rst" if unread or close_with == "rst" else "fin"
    ledger.event(Kind.CLOSED, number, at, reason=reason, how=how, unread=unread, idle_s=idle_s)
