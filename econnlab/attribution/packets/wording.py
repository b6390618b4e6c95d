"""What the protocol itself says of a request or connection that failed."""

from __future__ import annotations

from econnlab.packets.conversation import Conversation, Exchange
from econnlab.packets.protocols.http2 import Http2, error_name
from econnlab.packets.protocols.mysql import Mysql
from econnlab.packets.protocols.postgres import Postgres

#: MySQL's ER_CON_COUNT_ERROR and ER_TOO_MANY_USER_CONNECTIONS; PostgreSQL's too_many_connections.
_MYSQL_FULL = frozenset({1040, 1203, 1226})
_POSTGRES_FULL = b"C53300\0"


def note_of(conversation: Conversation, exchange: Exchange | None) -> str:
    """RST_STREAM of the request's stream, or the server's GOAWAY."""
    if exchange is not None and exchange.note:
        return exchange.note
    state = conversation.state
    if not isinstance(state, Http2) or state.goaway is None or exchange is None:
        return ""
    code, last = state.goaway
    stream = next((number for number, each in state.streams.items() if each is exchange), 0)
    acted = "may have acted on it" if stream <= last else "says that it has not acted on it"
    return f"GOAWAY with {error_name(code)}, last stream {last}: the server {acted}"


def refusal_of(conversation: Conversation) -> str:
    """The server's own words that it takes no more connections; empty if it did not say so."""
    state = conversation.state
    if isinstance(state, Mysql) and state.error[0] in _MYSQL_FULL:
        return f"{state.error[1].partition('#')[2][5:] or state.error[1]} ({state.error[0]})"
    if isinstance(state, Postgres) and _POSTGRES_FULL in state.error:
        return "too_many_connections (53300)"
    return ""
