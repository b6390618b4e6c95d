"""IP in IP (RFC 2003, RFC 4213)."""

from __future__ import annotations

from econnlab.packets.steps import Step, ip

IP_PROTOCOLS = (4, 41)


def inner(data: bytes, at: int) -> Step | None:
    """The inner header follows at once."""
    return ip(at)
