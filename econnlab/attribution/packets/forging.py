"""Whether an RST comes from the end in whose name it came, by what that end's other packets look like."""

from __future__ import annotations

from econnlab.attribution.packets.facts import BOTH_NAMES_S, OTHER_TTL
from econnlab.packets.conversation import Conversation, Side

_NS = 1_000_000_000
#: An identification this much further than the longest step before does not belong to the same counter.
_STRANGE_STEP = 4096
#: The steps of an end that counts its packets; one that draws them at random has longer ones.
_COUNTS = 256


def other_ttl(conversation: Conversation) -> tuple[int, int] | None:
    """TTL of the packets of one side and of the RST in its name, if they differ."""
    for side in (conversation.server, conversation.client):
        rst = side.rst
        if (
            rst is not None
            and side.ttl
            and abs(rst.ttl - side.ttl) >= OTHER_TTL
            and _decides(conversation, side)
        ):
            return side.ttl, rst.ttl
    return None


def other_ident(conversation: Conversation) -> tuple[int, int] | None:
    """Identification of a side's last packet and of its RST, if the second does not fit.

    Only of an RST that a socket should have sent: the kernel numbers those of its own 0, or anew.
    """
    for side in (conversation.server, conversation.client):
        rst = side.rst
        if (
            rst is None
            or not rst.has_ack
            or not _counts(side, conversation.exchanges)
            or not _decides(conversation, side)
        ):
            continue
        if rst.ident and (rst.ident - side.ident) & 0xFFFF > side.step + _STRANGE_STEP:
            return side.ident, rst.ident
    return None


def _counts(side: Side, exchanges: int) -> bool:
    """Enough packets to know that it numbers them one after another."""
    return bool(side.ident) and side.packets + exchanges >= 4 and 0 < side.step <= _COUNTS


def _decides(conversation: Conversation, side: Side) -> bool:
    """The RST of ``side`` ended the connection; a FIN before it leaves no doubt that the end was its own."""
    first = conversation.first_end
    return first is not None and first[0] is side and not first[1].is_fin


def both_names(conversation: Conversation) -> bool:
    """RSTs in both names, so near to each other that neither end can have waited for the other's.

    An end that gets an RST sends none (RFC 9293 section 3.10.7.4), so that one of them at least is not its
    own.
    """
    one, two = conversation.client.rst, conversation.server.rst
    if (
        one is None
        or two is None
        or conversation.client.fin is not None
        or conversation.server.fin is not None
    ):
        return False
    if abs(one.at - two.at) > BOTH_NAMES_S * _NS:
        return False
    return one.has_ack and two.has_ack
