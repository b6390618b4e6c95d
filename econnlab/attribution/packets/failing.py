"""Which requests of a connection failed, by what their client must have seen."""

from __future__ import annotations

from collections.abc import Iterator

from econnlab.attribution.packets.facts import TURNED_AWAY_S, End
from econnlab.attribution.packets.network import client_forgot, in_vain
from econnlab.attribution.packets.observing import NS, broken_off, cut_unseen, cut_websocket, end_of
from econnlab.attribution.packets.wording import refusal_of
from econnlab.packets.bygones import was_refused
from econnlab.packets.conversation import Answer, Conversation, Exchange, Protocol, Unjudged
from econnlab.packets.judgeable import unjudged
from econnlab.packets.protocols.mysql import Mysql
from econnlab.packets.protocols.postgres import Postgres
from econnlab.packets.protocols.tls import Tls
from econnlab.record.attempts import Outcome

#: A request without an answer when the capture ended is a failure only if it had waited this long, s.
PATIENCE_S = 30.0
#: What a server says that waited too long for a request's head.
TIMED_OUT = b"HTTP/1.1 408"
_RESPONSE = b"HTTP/1."
#: A request that was sent again so often without an ACK, when the capture ended, waits in vain.
_AGAIN = 2
#: A SYN that was sent so often and never answered.
_UNANSWERED_SYNS = 2

Failure = tuple[Exchange | None, Outcome]


def failures(conversation: Conversation, capture_end: int, complete: bool) -> Iterator[Failure]:
    """What went wrong on a connection; ``complete``: the capture lacks no bytes, as far as is known."""
    if was_refused(conversation):
        yield None, Outcome.REFUSED
        return
    if conversation.syns and not conversation.synack_at and not conversation.server.packets:
        if conversation.syns >= _UNANSWERED_SYNS or conversation.icmp:
            yield None, Outcome.TIMEOUT
        return
    for error in conversation.errors:
        yield error, _of_error(error)
    why_not = unjudged(conversation)
    if why_not is not None:
        yield from _of_tcp_alone(conversation, why_not)
    elif conversation.open:
        yield from _open(conversation, capture_end, complete)
    elif conversation.exchange is None:
        yield from _unasked(conversation)
    else:
        yield from _answered(conversation, conversation.exchange)


def _of_error(exchange: Exchange) -> Outcome:
    if not exchange.note:
        return Outcome.HTTP_ERROR
    return Outcome.RESET if "by the server" in exchange.note else Outcome.OTHER


def _of_tcp_alone(conversation: Conversation, why_not: Unjudged) -> Iterator[Failure]:
    """What TCP itself shows, whatever was spoken: bytes that never arrived, an RST in place of an answer."""
    exchange, first = conversation.open[0] if conversation.open else None, conversation.first_end
    if in_vain(conversation) and exchange is not None:
        yield exchange, Outcome.TIMEOUT if first is None or first[0] is conversation.client else Outcome.RESET
    elif why_not is Unjudged.SHORTENED and cut_unseen(conversation):
        yield exchange, Outcome.RESET if conversation.server.rst is not None else Outcome.TRUNCATED
    elif why_not is Unjudged.NOT_READ and exchange is not None and _reset_by_server(conversation):
        yield exchange, Outcome.RESET
    elif why_not in (Unjudged.NOT_READ, Unjudged.OLDER) and exchange is None and _was_reset(conversation):
        yield conversation.exchange, Outcome.OTHER


# -- requests without a whole answer --------------------------------------------------------------


def _open(conversation: Conversation, capture_end: int, complete: bool) -> Iterator[Failure]:
    for exchange in list(conversation.open):
        outcome = _outcome(conversation, exchange, capture_end, complete)
        if outcome is not None:
            yield exchange, outcome


def _outcome(
    conversation: Conversation, exchange: Exchange, capture_end: int, complete: bool
) -> Outcome | None:
    first = conversation.first_end
    if conversation.unasked.startswith(TIMED_OUT):
        return Outcome.HTTP_ERROR
    if exchange.answer is Answer.UNSURE:
        return _of_an_open_end(conversation, exchange)
    if exchange.answer is Answer.BEGUN and (first is None or _there_is_more(conversation)):
        return None
    if first is None:
        waited = (capture_end - exchange.request_at) / NS
        unheard = in_vain(conversation, _AGAIN)
        return Outcome.TIMEOUT if unheard or (complete and waited > PATIENCE_S) else None
    if first[0] is conversation.server:
        if exchange.answer is Answer.BEGUN:
            return Outcome.RESET if conversation.server.rst is not None else Outcome.TRUNCATED
        return Outcome.CLOSED if end_of(conversation.server) is End.FIN else Outcome.RESET
    if exchange.answer is Answer.BEGUN:
        return Outcome.RESET if client_forgot(conversation) or conversation.stranger else Outcome.OTHER
    return Outcome.TIMEOUT


def _there_is_more(conversation: Conversation) -> bool:
    """One side has ended its direction, and the answer goes on."""
    server = conversation.server
    return (
        not conversation.ended and server.fin is None and server.rst is None and not conversation.client.rsts
    )


def _of_an_open_end(conversation: Conversation, exchange: Exchange) -> Outcome | None:
    """An answer that ends with the connection, or is none: an RST of the server cuts it."""
    first = conversation.first_end
    if exchange.is_error:
        return Outcome.HTTP_ERROR
    if exchange.status:
        return Outcome.RESET if _reset_by_server(conversation) else None
    return Outcome.OTHER if exchange.response and first is not None else None


def _was_reset(conversation: Conversation) -> bool:
    return bool(conversation.client.rsts or conversation.server.rsts)


def _reset_by_server(conversation: Conversation) -> bool:
    first = conversation.first_end
    return first is not None and first[0] is conversation.server and not first[1].is_fin


# -- all answered, or nothing asked ---------------------------------------------------------------


def _answered(conversation: Conversation, exchange: Exchange) -> Iterator[Failure]:
    if exchange.is_error or exchange.note:
        return  # told as an error already
    if not conversation.answered:
        yield exchange, Outcome.TIMEOUT  # it came when its client had given up
    elif broken_off(conversation):
        yield exchange, Outcome.RESET if conversation.server.rst is not None else Outcome.TRUNCATED
    elif cut_websocket(conversation) or _was_reset(conversation):
        yield exchange, Outcome.OTHER


def _unasked(conversation: Conversation) -> Iterator[Failure]:
    first, state = conversation.first_end, conversation.state
    if first is None:
        return
    if isinstance(state, Tls) and not state.complete:
        yield None, _of_handshake(conversation)
    elif isinstance(state, Mysql | Postgres) and refusal_of(conversation):
        yield None, Outcome.CLOSED
    elif conversation.unasked.startswith(_RESPONSE) and conversation.from_beginning:
        yield None, Outcome.HTTP_ERROR
    elif first[0] is conversation.server and _at_once(conversation):
        yield None, Outcome.CLOSED if first[1].is_fin else Outcome.RESET
    elif conversation.client.rsts or conversation.server.rsts:
        yield None, Outcome.OTHER


def _of_handshake(conversation: Conversation) -> Outcome:
    """A TLS handshake that was not completed."""
    first = conversation.first_end
    assert first is not None
    if first[0] is conversation.server or conversation.unasked.startswith(_RESPONSE):
        end = end_of(conversation.server)
        return Outcome.RESET if end is not None and end is not End.FIN else Outcome.CLOSED
    return Outcome.OTHER


def _at_once(conversation: Conversation) -> bool:
    """The server ended a new connection at once, without a byte."""
    if (
        not conversation.from_beginning
        or conversation.server.sent
        or conversation.protocol is not Protocol.NONE
    ):
        return False
    first, begun = conversation.first_end, conversation.confirmed or conversation.began
    return first is not None and first[1].at - begun <= TURNED_AWAY_S * NS
