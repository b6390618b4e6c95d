"""Which connections nothing is said of, and why."""

from __future__ import annotations

from econnlab.packets.conversation import Conversation, Protocol, Unjudged
from econnlab.packets.protocols import tls
from econnlab.packets.protocols.http1_state import LOST, Http1


def unjudged(conversation: Conversation) -> Unjudged | None:
    """Why it cannot be told whether the requests of ``conversation`` were answered; None if it can."""
    if conversation.one_way:
        return Unjudged.ONE_WAY
    if not conversation.roles_known and conversation.protocol in (Protocol.TLS, Protocol.OTHER):
        return Unjudged.ROLES
    if conversation.protocol is Protocol.OTHER:
        return Unjudged.NOT_READ
    if conversation.unsure is not None:
        return conversation.unsure
    if conversation.protocol is Protocol.NONE and not conversation.from_beginning and not conversation.icmp:
        return Unjudged.OLDER
    if conversation.open and _hidden(conversation):
        return Unjudged.MISSING if conversation.missing else Unjudged.SHORTENED
    return None


def _hidden(conversation: Conversation) -> bool:
    """What would tell of the answer to the request at hand was not captured."""
    exchange = conversation.open[0]
    state = conversation.state
    if exchange.hidden and not exchange.request:
        return True
    if isinstance(state, Http1):
        lost = state.answer_step is LOST and bool(exchange.response_at)
        return lost and (not exchange.response or exchange.response.startswith(b"HTTP/1."))
    if isinstance(state, tls.Tls):
        return state.server.records.lost or state.client.records.lost
    return False
