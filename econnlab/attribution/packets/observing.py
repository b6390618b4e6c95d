"""What the packets of one connection say of one request on it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from econnlab.attribution.packets import forging, network, wording
from econnlab.attribution.packets.facts import AT_ONCE_S, End, PacketFacts
from econnlab.attribution.packets.servers import Server, covers, was_silent
from econnlab.packets.conversation import Answer, Conversation, Exchange, Mark, Protocol, Side
from econnlab.packets.messages import awaits_continue, request_size, response_of, started_ns
from econnlab.packets.protocols import tls, websocket
from econnlab.packets.protocols.framing import CHUNKED, body_of

NS = 1_000_000_000
_WRAP = 0xFFFFFFFF
#: A clock that says a request was begun longer ago, or after it was sent, is not the capture's.
_LONGEST_HOLD_S = 3600.0
_ALERT = b"\x15\x03"


@dataclass(frozen=True)
class Beside:
    """What is known of a request from other connections."""

    server: Server
    #: Ports of the server's host at which the client's host was refused.
    scanned: int = 0
    #: The proxy that passed the request on, and the same request on the hop in front of it.
    through: str | None = None
    asked: Exchange | None = None
    front: Conversation | None = None
    #: The proxy or middlebox that took the request and did not pass it on.
    kept_by: str | None = None


def address_text(address: bytes) -> str:
    """``10.0.0.7:8080``, ``[::1]:8080``."""
    host = ipaddress.ip_address(address[:-2])
    port = int.from_bytes(address[-2:], "big")
    return f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}"


def end_of(side: Side) -> End | None:
    """How this side ended the connection first."""
    mark = side.ended
    return None if mark is None else _kind(mark)


def facts_of(conversation: Conversation, exchange: Exchange | None, beside: Beside) -> PacketFacts:
    """The facts of ``exchange``, or of a connection on which nothing was asked."""
    mark, client_mark = conversation.server.ended, conversation.client.ended
    first = _first_end(conversation)
    told = _first_end(beside.front) if beside.front is not None else None
    if told is not None and told[0] == "client" and (first is None or told[1].at < first[1].at):
        first = told  # on its way through the proxy, the client's end may have come after the server's
        client_mark = told[1]
    if first is not None and first[0] == "client":
        mark = None  # what the server sent after the client's end is an answer to it
    elif first is not None:
        client_mark = None
    return _facts(conversation, exchange, beside, mark, client_mark)


def _first_end(conversation: Conversation) -> tuple[str, Mark] | None:
    first = conversation.first_end
    if first is None:
        return None
    return "client" if first[0] is conversation.client else "server", first[1]


def lost_hop(front: Conversation, asked: Exchange, behind: Conversation, server: Server) -> PacketFacts:
    """The facts of a request that a proxy could not pass on, as ``behind`` had ended."""
    exchange = Exchange(
        behind.exchanges + 1, asked.request_at, behind.client.next or 0, behind.server.data_at
    )
    exchange.request, exchange.request_bytes = asked.request, asked.request_bytes
    beside = Beside(server, through=address_text(front.server.address))
    return _facts(behind, exchange, beside, behind.server.ended, None)


def _facts(
    conversation: Conversation,
    exchange: Exchange | None,
    beside: Beside,
    mark: Mark | None,
    client_mark: Mark | None,
) -> PacketFacts:
    client, its, server = conversation.client, conversation.server, beside.server
    begin = exchange.begin if exchange is not None else (client.next or 0)
    ended = mark.at / NS if mark is not None else None
    sent = exchange.request_at / NS if exchange is not None else None
    taken = exchange is not None and its.ack is not None and covers(its.ack, (exchange.end - 1) & _WRAP)
    heard = (exchange.before if exchange is not None else its.data_at) or conversation.confirmed
    last = _last_response(conversation, exchange)
    gone = None if client_mark is None else client_mark.at / NS
    until = ended or gone or (conversation.ended or conversation.last) / NS
    began = conversation.began / NS
    answered = exchange is not None and exchange.response_at > 0 and conversation.answered
    responses = exchange.number - 1 if exchange is not None else conversation.finished
    stood = server.beside(began, until, itself=answered or responses > 0)
    return PacketFacts(
        server=address_text(its.address),
        sent=sent,
        acknowledged=taken,
        sent_again=client.resent if exchange is not None and network.sent_in(client, exchange) else 0,
        missing=_missing(conversation, exchange),
        held_s=_held_s(beside.asked or exchange),
        responses=responses,
        last_heard=(heard or conversation.began) / NS,
        advertised_s=last[0],
        announced_close=last[1],
        end=None if mark is None else _kind(mark),
        ended=ended,
        end_covers=mark is not None and _mark_covers(its, mark, begin),
        **_tls_facts(conversation, exchange),
        ttls=forging.other_ttl(conversation),
        idents=forging.other_ident(conversation),
        client_end=None if client_mark is None else _kind(client_mark),
        client_ended=gone,
        syns=conversation.syns,
        synack_again=conversation.synack_again,
        answered_handshake=bool(conversation.synack_at),
        refused_at_end=_refused_at_end(conversation),
        cut=exchange is not None and _cut(conversation, exchange),
        cut_unseen=cut_unseen(conversation),
        invalid=_invalid(conversation, exchange),
        expected=exchange.expected if exchange is not None and exchange.answer is Answer.BEGUN else None,
        received=_received(conversation, exchange, client_mark),
        from_beginning=conversation.from_beginning,
        silent=was_silent(conversation),
        protocol=conversation.protocol.value,
        is_read=conversation.is_read,
        fin_acked=its.fin_acked,
        cut_websocket=cut_websocket(conversation),
        note=wording.note_of(conversation, exchange),
        refusal=wording.refusal_of(conversation),
        **_network_facts(conversation),
        **_server_facts(beside, began, until, ended, responses, stood),
    )


def _tls_facts(conversation: Conversation, exchange: Exchange | None) -> dict[str, Any]:
    first = _first_bytes(conversation, exchange)
    return {
        "tls_client": conversation.protocol is Protocol.TLS,
        "tls_server": first[:2] == _ALERT,
        "plain_server": first.startswith(b"HTTP/"),
        "handshake_done": not isinstance(conversation.state, tls.Tls) or conversation.state.complete,
        "alert": conversation.alert[0] if conversation.alert is not None else "",
        "alert_by_server": conversation.alert is not None and conversation.alert[2],
        "alert_about_certificate": conversation.alert is not None
        and conversation.alert[1] in tls.CERTIFICATE_ALERTS,
    }


def _network_facts(conversation: Conversation) -> dict[str, Any]:
    said = network.icmp_of(conversation)
    return {
        "icmp": said.said if said is not None else "",
        "icmp_by": said.by if said is not None else "",
        "mtu": said.mtu if said is not None else 0,
        "in_vain": network.in_vain(conversation),
        "in_vain_s": network.in_vain_s(conversation),
        "both_names": forging.both_names(conversation),
        "stranger": address_text(conversation.stranger) if conversation.stranger else "",
        "client_forgot": network.client_forgot(conversation),
    }


def _server_facts(
    beside: Beside, began: float, until: float, ended: float | None, responses: int, stood: int
) -> dict[str, Any]:
    server = beside.server
    return {
        "together": server.together(ended) if ended is not None else None,
        "refused_next": ended is not None and server.refuses_next(ended),
        "accepted_next": ended is not None and server.accepts_next(ended),
        "turned_away": server.turned_away,
        "room_later": server.has_room_later(stood, until),
        "overflow_near": server.overflowed_near(began),
        "same_limit": server.same_limit(responses),
        "survived_s": server.survived_s,
        "beside": stood,
        "elsewhere_s": None if server.answered_newcomer(began, until) else server.took_s,
        "refused_ports": beside.scanned,
        "kept_by": beside.kept_by,
        "through": beside.through,
    }


def _cut(conversation: Conversation, exchange: Exchange) -> bool:
    return exchange.answer is Answer.BEGUN or broken_off(conversation) or cut_unseen(conversation)


def _missing(conversation: Conversation, exchange: Exchange | None) -> int:
    if exchange is None or conversation.protocol is not Protocol.HTTP or exchange.hidden:
        return 0
    size = request_size(exchange)
    if size is None:
        return 0
    sent = exchange.asked_then if exchange.response_at else exchange.request_bytes
    # A client that expects 100 Continue sends no body until it is asked to (RFC 9110 section 10.1.1).
    return 0 if awaits_continue(exchange, sent) else max(0, size - sent)


def broken_off(conversation: Conversation) -> bool:
    """Under TLS: the server ended it inside a record, or by RST right behind data, without close_notify."""
    first, exchange, state = conversation.first_end, conversation.exchange, conversation.state
    if first is None or exchange is None or not isinstance(state, tls.Tls) or not exchange.response_at:
        return False
    if first[0] is not conversation.server:
        return False
    if state.server.records.inside and not conversation.missing:
        return True
    at_once = first[1].at - exchange.response_last_at <= AT_ONCE_S * NS
    return not first[1].is_fin and at_once and not state.server.goodbye and not conversation.missing


def cut_unseen(conversation: Conversation) -> bool:
    """The server ended a chunked answer at once, without having said that it would, and its end was cut off.

    A whole answer would have let the connection live (RFC 9112 section 9.3).
    """
    first, exchange = conversation.first_end, conversation.exchange
    if first is None or exchange is None or first[0] is not conversation.server or conversation.missing:
        return False
    if exchange.answer is not Answer.UNSURE or body_of(exchange.response) is not CHUNKED:
        return False
    response = response_of(exchange)
    at_once = first[1].at - exchange.response_last_at <= AT_ONCE_S * NS
    return response is not None and not response.close and at_once


def cut_websocket(conversation: Conversation) -> bool:
    """A WebSocket that ended without a close frame of either side (RFC 6455 section 7.1.5: code 1006)."""
    state = conversation.state
    if not isinstance(state, websocket.WebSocket) or conversation.first_end is None:
        return False
    return not any(half.closed or half.lost for half in (state.client, state.server))


def _invalid(conversation: Conversation, exchange: Exchange | None) -> bool:
    if exchange is None or conversation.protocol is not Protocol.HTTP or not exchange.response_at:
        return False
    return exchange.answer is Answer.UNSURE and bool(exchange.response) and not exchange.status


def _received(conversation: Conversation, exchange: Exchange | None, client_mark: Mark | None) -> int:
    """Bytes of the answer; if the client ended the connection, those that had come by then."""
    if exchange is None:
        return 0
    if client_mark is not None and exchange is conversation.exchange and conversation.received_then:
        return min(exchange.response_bytes, conversation.received_then)
    return exchange.response_bytes


def _kind(mark: Mark) -> End:
    return End.FIN if mark.is_fin else End.RST if mark.has_ack else End.RST_NO_SOCKET


def _mark_covers(side: Side, mark: Mark, begin: int) -> bool:
    """By its own acknowledgment number; an RST without one leaves what was acknowledged before."""
    if mark.is_fin or mark.has_ack:
        return covers(mark.ack, begin)
    return side.ack is not None and covers(side.ack, begin)


def _last_response(conversation: Conversation, exchange: Exchange | None) -> tuple[int | None, bool]:
    """What the response before ``exchange`` had advertised, and whether it had announced the end."""
    said = conversation.exchange
    if exchange is not None and exchange is said:
        said = conversation.previous
    response = response_of(said) if said is not None and said is not exchange else None
    return (response.keep_alive_s, response.close) if response is not None else (None, False)


def _held_s(exchange: Exchange | None) -> float | None:
    started = started_ns(exchange) if exchange is not None else None
    if exchange is None or started is None:
        return None
    held = (exchange.request_at - started) / NS
    return held if 0 <= held < _LONGEST_HOLD_S else None


def _first_bytes(conversation: Conversation, exchange: Exchange | None) -> bytes:
    if exchange is not None and exchange.number == 1:
        return conversation.unasked or exchange.response
    return conversation.unasked if exchange is None else b""


def _refused_at_end(conversation: Conversation) -> bool:
    """RST to the handshake's last ACK: within a round trip, and from the server nothing since its SYN-ACK."""
    rst, its = conversation.server.rst, conversation.server
    if rst is None or rst.has_ack or its.fin is not None or not conversation.synack_at or its.sent:
        return False
    begun = conversation.client.isn
    if its.isn is None or begun is None or rst.seq != (its.isn + 1) & _WRAP:
        return False
    if its.ack is not None and covers(its.ack, (begun + 1) & _WRAP):
        return False
    return rst.at - conversation.confirmed <= network.round_trip(conversation) + AT_ONCE_S * NS
