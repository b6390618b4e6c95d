"""An attempt before it has ended, and the record of it afterwards."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Protocol

from econnlab.client.outcome import what_failed
from econnlab.client.witness import Witness
from econnlab.record.attempts import Attempt, Outcome
from econnlab.system.clock import now

_FIRST_ERROR_STATUS = 400


class ClientConnection(Protocol):
    """What the observer must know of a connection. A client's connection class carries these attributes."""

    sock: socket.socket | None
    #: Set by ``Observer.open_socket``; None until then.
    number: int | None
    local: str | None
    #: When the last response on this connection had been read whole; None before the first. The observer sets
    #: it.
    idle_since: float | None

    def close(self) -> None:
        """Close the socket, and reuse nothing of it."""


@dataclass(frozen=True)
class RequestName:
    """Which request the attempts belong to."""

    row: int
    session: int
    number: int = 0
    id: str = ""
    method: str = ""


class UnfinishedAttempt:
    """What is known of an attempt so far."""

    def __init__(self, connection: ClientConnection | None, planned: float | None, patience_s: float) -> None:
        self.planned = planned
        self.began = now()
        self.witness = Witness(self.began + patience_s)
        self.connection = connection
        self.reused = False
        self.idle_since: float | None = None
        self.number: int | None = None
        self.local: str | None = None
        if connection is not None and connection.sock is not None and connection.idle_since is not None:
            self.reused, self.idle_since = True, connection.idle_since
            self.number, self.local = connection.number, connection.local
        self.error: BaseException | None = None
        self.failed_at: float | None = None
        self.send_errno: str | None = None
        self.was_blocked = False
        self.status: int | None = None
        #: The headers of the response that the record or a retry policy uses, by their names in lower case.
        self.headers: dict[str, str] = {}
        #: A connection exists, or existed when the attempt began.
        self.connected = self.reused

    @property
    def over(self) -> bool:
        """It has an error or a response, so another attempt may begin."""
        return self.error is not None or self.status is not None

    @property
    def ended(self) -> float:
        """When it failed, or read the last byte of its response."""
        return self.failed_at or self.witness.last_byte or now()

    def record(self, name: RequestName, number: int, ended: float) -> Attempt:
        """The record of this attempt, the ``number``-th of the request ``name``."""
        seen = self.witness
        outcome, errno, chain = Outcome.OK, None, ""
        if self.error is not None:
            failed = what_failed(self.error, response_began=seen.first_byte is not None, saw_eof=seen.saw_eof)
            outcome, errno, chain = failed.outcome, failed.errno, failed.chain
        if outcome in (Outcome.OK, Outcome.OTHER) and (self.status or 0) >= _FIRST_ERROR_STATUS:
            outcome = Outcome.HTTP_ERROR  # OTHER: a retry policy gave up because of the status
        return Attempt(
            row=name.row,
            session=name.session,
            request=name.number,
            number=number,
            request_id=name.id,
            method=name.method,
            planned=self.planned,
            began=self.began,
            sent=seen.sent,
            first_byte=seen.first_byte,
            ended=ended,
            connection=self.number,
            local=self.local,
            reused=self.reused,
            idle_s=None if self.idle_since is None or seen.sent is None else seen.sent - self.idle_since,
            outcome=outcome,
            status=self.status,
            bytes_read=seen.bytes_read,
            error=chain,
            errno=errno,
            send_errno=self.send_errno,
            keep_alive=self.headers.get("keep-alive"),
            connection_header=self.headers.get("connection"),
        )
