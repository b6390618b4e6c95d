"""The one place where an exception becomes an outcome: by the types and errnos of its chain, not its text."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import urllib3.exceptions as u3

from econnlab.record.attempts import BY_ERRNO, Outcome

_TIMEOUTS = (TimeoutError, u3.TimeoutError)
_ENDS = (http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
#: Half a response is called IncompleteRead, BadStatusLine (half a line), ProtocolError (half a chunk).
_CUT_SHORT = (http.client.HTTPException, u3.ProtocolError)
_MOST_LINKS = 32


@dataclass(frozen=True)
class WhatFailed:
    """What an exception says: the outcome, the symbolic errno at its root, and the chain of class names."""

    outcome: Outcome
    errno: str | None
    chain: str


def what_failed(error: BaseException, *, response_began: bool, saw_eof: bool) -> WhatFailed:
    """Classify ``error``, given whether the socket showed a byte of the response, and an end (FIN)."""
    chain = list(links(error))
    number = next((number for number in map(_errno, reversed(chain)) if number is not None), None)
    return WhatFailed(
        _outcome(chain, number, response_began, saw_eof),
        errno.errorcode.get(number, str(number)) if number is not None else None,
        " < ".join(map(_name, chain)),
    )


def _name(link: BaseException) -> str:
    name = type(link).__name__
    return f"{type(link).__module__}.error" if name == "error" else name  # zlib's, for one


def _outcome(chain: list[BaseException], number: int | None, response_began: bool, saw_eof: bool) -> Outcome:
    if number is not None:
        # Before the types: urllib3's NewConnectionError is a TimeoutError by descent, whatever the errno.
        return BY_ERRNO.get(number, Outcome.OTHER)
    if any(isinstance(link, socket.gaierror | u3.NameResolutionError) for link in chain):
        return Outcome.OTHER  # a NameResolutionError is a TimeoutError by descent alone
    if any(isinstance(link, _TIMEOUTS) for link in chain):
        return Outcome.TIMEOUT
    if any(isinstance(link, _ENDS) for link in chain):
        return Outcome.TRUNCATED if response_began else Outcome.CLOSED
    if saw_eof and response_began and any(isinstance(link, _CUT_SHORT) for link in chain):
        return Outcome.TRUNCATED
    return Outcome.OTHER


def links(error: BaseException) -> Iterator[BaseException]:
    """``error`` and every exception that it wraps, outermost first.

    Libraries keep the root in different places: as the cause or context, among the arguments
    (urllib3 ProtocolError), or as ``reason`` (urllib3 MaxRetryError).
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < _MOST_LINKS:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        context = None if link.__suppress_context__ else link.__context__
        inner = [getattr(link, "reason", None), *link.args, link.__cause__, context]
        waiting.extend(each for each in inner if isinstance(each, BaseException))


def _errno(error: BaseException) -> int | None:
    if isinstance(error, socket.gaierror | ssl.SSLError):
        return None  # their numbers are not errnos
    return error.errno if isinstance(error, OSError) else None
