"""What is kept of connections that went well and are over."""

from __future__ import annotations

from econnlab.packets.conversation import Answer, Bygone, Conversation, Protocol
from econnlab.packets.judgeable import unjudged
from econnlab.packets.messages import request_name, response_of


def was_refused(conversation: Conversation) -> bool:
    """Its SYN was answered with RST."""
    server = conversation.server
    return (
        server.rst is not None
        and bool(conversation.syn_at)
        and not conversation.synack_at
        and not server.sent
    )


def went_well(conversation: Conversation) -> bool:
    """It is over, without an RST or an error, and no request waits for an answer that it should have got."""
    if not conversation.ended or conversation.server.rsts or conversation.client.rsts:
        return False
    if conversation.errors or conversation.icmp or conversation.stranger or conversation.alert:
        return False
    if conversation.open:
        if len(conversation.open) > 1 or conversation.open[0].answer is not Answer.UNSURE:
            return unjudged(conversation) is not None
        if conversation.open[0].is_error:
            return False
    if conversation.protocol is Protocol.TLS:
        return bool(conversation.state.complete) and not conversation.state.server.records.inside
    if conversation.protocol is Protocol.WEBSOCKET:
        return bool(conversation.state.client.closed or conversation.state.server.closed)
    if conversation.client.sent or not conversation.from_beginning:
        return True
    # Nothing was asked: well unless the server turned it away, with words or without.
    return (
        bool(conversation.unasked)
        and not conversation.unasked.startswith(b"HTTP/")
        and _greeted(conversation)
    )


def _greeted(conversation: Conversation) -> bool:
    """What the server said first is no refusal."""
    return conversation.protocol is not Protocol.MYSQL or not conversation.state.error[0]


def longest_idle(conversation: Conversation) -> int:
    """The longest pause, ns, before a request that was answered."""
    return conversation.longest_idle


def bygone_of(conversation: Conversation) -> Bygone:
    """What is kept of ``conversation``."""
    first, exchange = conversation.first_end, conversation.exchange
    by_server = first is not None and first[0] is conversation.server
    idle = first[1].at - conversation.server.data_at if first and conversation.server.data_at else -1
    response = (
        response_of(exchange) if exchange is not None and conversation.protocol is Protocol.HTTP else None
    )
    return Bygone(
        conversation.client.address,
        conversation.server.address,
        conversation.began,
        conversation.ended,
        by_server,
        idle,
        conversation.requests,
        conversation.is_read,
        longest_idle(conversation),
        exchange.response_at - exchange.request_at if exchange is not None and exchange.response_at else -1,
        hash(request_name(conversation.first)) if conversation.first is not None else 0,
        hash(request_name(exchange)) if exchange is not None else 0,
        response is not None and response.close,
        conversation.protocol,
        conversation.name,
        unjudged(conversation),
    )
