"""What the packets of one connection say of one request on it."""

from __future__ import annotations

import ipaddress

from econnlab.attribution.packets.facts import AT_ONCE_S, OTHER_TTL, End, PacketFacts
from econnlab.attribution.packets.servers import Server, covers
from econnlab.packets.conversation import Conversation, Exchange, Mark, Side
from econnlab.packets.messages import (
    awaits_continue,
    missing_of_response,
    request_size,
    response_of,
    started_ns,
)

NS = 1_000_000_000
_WRAP = 0xFFFFFFFF
#: A clock that says a request was begun longer ago, or after it was sent, is not the capture's.
_LONGEST_HOLD_S = 3600.0
#: An identification this much further than the longest step before does not belong to the same counter.
_STRANGE_STEP = 4096
_ALERT = b"\x15\x03"


def address_text(address: bytes) -> str:
    """``10.0.0.7:8080``, ``[::1]:8080``."""
    host = ipaddress.ip_address(address[:-2])
    port = int.from_bytes(address[-2:], "big")
    return f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}"


def end_of(side: Side) -> End | None:
    """How this side ended the connection first."""
    mark = side.ended
    return None if mark is None else _kind(mark)


def facts_of(
    conversation: Conversation,
    exchange: Exchange | None,
    server: Server,
    scanned: int = 0,
    through: str | None = None,
    asked: Exchange | None = None,
    kept_by: str | None = None,
    front: Conversation | None = None,
) -> PacketFacts:
    """The facts of ``exchange``, or of a connection on which nothing was asked.

    ``asked`` is the same request on the hop in ``front``, which the client itself wrote.
    """
    mark, client_mark = conversation.server.ended, conversation.client.ended
    first = _first_end(conversation)
    told = _first_end(front) if front is not None else None
    if told is not None and told[0] == "client" and (first is None or told[1].at < first[1].at):
        first = told  # on its way through the proxy, the client's end may have come after the server's
        client_mark = told[1]
    if first is not None and first[0] == "client":
        mark = None  # what the server sent after the client's end is an answer to it
    elif first is not None:
        client_mark = None
    return _facts(conversation, exchange, server, mark, client_mark, scanned, through, asked, kept_by)


def _first_end(conversation: Conversation) -> tuple[str, Mark] | None:
    first = conversation.first_end
    if first is None:
        return None
    return "client" if first[0] is conversation.client else "server", first[1]


def lost_hop(front: Conversation, asked: Exchange, behind: Conversation, server: Server) -> PacketFacts:
    """The facts of a request that a proxy could not pass on, as ``behind`` had ended."""
    exchange = Exchange(behind.exchanges + 1, asked.request_at, behind.client.seq or 0, behind.server.data_at)
    exchange.request, exchange.request_bytes = asked.request, asked.request_bytes
    through = address_text(front.server.address)
    return _facts(behind, exchange, server, behind.server.ended, None, 0, through, asked, None)


def _facts(
    conversation: Conversation,
    exchange: Exchange | None,
    server: Server,
    mark: Mark | None,
    client_mark: Mark | None,
    scanned: int,
    through: str | None,
    asked: Exchange | None,
    kept_by: str | None,
) -> PacketFacts:
    client, its = conversation.client, conversation.server
    begin = exchange.begin if exchange is not None else (client.seq or 0)
    ended = mark.at / NS if mark is not None else None
    sent = exchange.request_at / NS if exchange is not None else None
    acknowledged = its.ack is not None and exchange is not None and covers(its.ack, exchange.end - 1)
    heard = (exchange.before if exchange is not None else its.data_at) or conversation.confirmed
    last = _last_response(conversation, exchange)
    gone = client_mark.at / NS if client_mark is not None else None
    until = ended or gone or (conversation.ended or conversation.last) / NS
    began = conversation.began / NS
    answered = exchange is not None and exchange.response_at > 0 and conversation.answered
    responses = exchange.number - 1 if exchange is not None else conversation.exchanges
    return PacketFacts(
        server=address_text(its.address),
        sent=sent,
        acknowledged=acknowledged,
        sent_again=exchange.resent if exchange is not None else 0,
        missing=_missing(exchange),
        held_s=_held_s(asked or exchange),
        responses=responses,
        last_heard=(heard or conversation.began) / NS,
        advertised_s=last[0],
        announced_close=last[1],
        end=None if mark is None else _kind(mark),
        ended=ended,
        end_covers=mark is not None and _mark_covers(its, mark, begin),
        tls_client=conversation.protocol == "tls",
        tls_server=_first_bytes(conversation, exchange)[:2] == _ALERT,
        plain_server=_first_bytes(conversation, exchange).startswith(b"HTTP/"),
        ttls=_other_ttl(its),
        idents=_other_ident(its),
        client_end=None if client_mark is None else _kind(client_mark),
        client_ended=gone,
        syns=conversation.syns,
        synack_again=conversation.synack_again,
        answered_handshake=bool(conversation.synack_at),
        refused_at_end=_refused_at_end(conversation),
        cut=exchange is not None and (missing_of_response(exchange) or broken_off(conversation)),
        expected=_expected(exchange),
        received=exchange.response_bytes if exchange is not None else 0,
        together=server.together(ended) if ended is not None else None,
        refused_next=ended is not None and server.refuses_next(ended),
        same_limit=server.same_limit(responses),
        survived_s=server.survived_s,
        beside=server.beside(began, until, itself=answered or responses > 0),
        elsewhere_s=None if server.answered_newcomer(began, until) else server.took_s,
        refused_ports=scanned,
        kept_by=kept_by,
        through=through,
    )


def _missing(exchange: Exchange | None) -> int:
    size = request_size(exchange) if exchange is not None else None
    if exchange is None or size is None:
        return 0
    sent = exchange.asked_then if exchange.response_at else exchange.request_bytes
    # Who expects 100 Continue sends no body until it is asked to (RFC 9110 section 10.1.1).
    return 0 if awaits_continue(exchange, sent) else max(0, size - sent)


def broken_off(conversation: Conversation) -> bool:
    """Under TLS: the server sent RST right behind response data. Whether it was whole, nobody can tell."""
    first, exchange = conversation.first_end, conversation.exchange
    if first is None or exchange is None or conversation.protocol != "tls" or not exchange.response_at:
        return False
    at_once = first[1].at - exchange.response_last_at <= AT_ONCE_S * NS
    return first[0] is conversation.server and not first[1].is_fin and at_once


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
    """RST to the handshake's last ACK: no socket, and of the server's side not a packet since its SYN-ACK."""
    rst, its = conversation.server.rst, conversation.server
    if rst is None or rst.has_ack or its.fin is not None or not conversation.synack_at:
        return False
    begun = conversation.client.isn
    if its.isn is None or begun is None or rst.seq != (its.isn + 1) & _WRAP:
        return False
    return its.ack is None or not covers(its.ack, (begun + 1) & _WRAP)


def _expected(exchange: Exchange | None) -> int | None:
    if exchange is None or not missing_of_response(exchange):
        return None
    response = response_of(exchange)
    return response.size if response is not None else None


def _other_ttl(side: Side) -> tuple[int, int] | None:
    rst = side.rst
    if rst is None or not side.ttl or abs(rst.ttl - side.ttl) < OTHER_TTL:
        return None
    return side.ttl, rst.ttl


def _other_ident(side: Side) -> tuple[int, int] | None:
    """Only for an RST that a socket should have sent: the kernel itself numbers its own 0, or anew."""
    rst = side.rst
    if rst is None or not rst.has_ack or not rst.ident or not side.ident or side.packets < 4:
        return None
    ahead = (rst.ident - side.ident) & 0xFFFF
    return (side.ident, rst.ident) if ahead > side.step + _STRANGE_STEP else None
