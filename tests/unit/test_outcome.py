import errno
import http.client
import socket
import ssl

import pytest
import requests
import urllib3.exceptions as u3

from econnlab.client.outcome import what_failed
from econnlab.record.attempts import Outcome

NOBODY = None


def raised(error, *causes):
    """``error`` as raised from ``causes``, innermost last."""
    outer = error
    for cause in causes:
        outer.__cause__ = cause
        outer = cause
    return error


def classify(error, *, response_began=False, saw_eof=False):
    return what_failed(error, response_began=response_began, saw_eof=saw_eof)


def in_requests(root):
    return requests.ConnectionError(u3.ProtocolError("Connection aborted.", root))


RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize(
    ("error", "outcome", "name"),
    [
        (in_requests(RESET), Outcome.RESET, "ECONNRESET"),
        (u3.ProtocolError("Connection aborted.", RESET), Outcome.RESET, "ECONNRESET"),
        (in_requests(http.client.RemoteDisconnected("Remote end closed")), Outcome.CLOSED, None),
        (in_requests(BrokenPipeError(errno.EPIPE, "Broken pipe")), Outcome.BROKEN_PIPE, "EPIPE"),
        (
            requests.ConnectionError(
                u3.MaxRetryError(
                    None,
                    "/",
                    raised(u3.NewConnectionError(NOBODY, "no"), ConnectionRefusedError(111, "refused")),
                )
            ),
            Outcome.REFUSED,
            "ECONNREFUSED",
        ),
        (requests.ReadTimeout(u3.ReadTimeoutError(NOBODY, "/", "Read timed out.")), Outcome.TIMEOUT, None),
        (u3.ConnectTimeoutError(NOBODY, "timed out"), Outcome.TIMEOUT, None),
        (
            raised(u3.NewConnectionError(NOBODY, "no"), OSError(errno.EADDRNOTAVAIL, "no port left")),
            Outcome.OTHER,
            "EADDRNOTAVAIL",
        ),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), Outcome.TIMEOUT, "ETIMEDOUT"),
        (in_requests(http.client.BadStatusLine("garbage")), Outcome.OTHER, None),
        (
            u3.NameResolutionError(
                "nowhere.invalid", NOBODY, socket.gaierror(-2, "Name or service not known")
            ),
            Outcome.OTHER,
            None,
        ),
        (
            requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, "certificate verify failed")),
            Outcome.OTHER,
            None,
        ),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Outcome.CLOSED, None),
        (ValueError("a bug of the client"), Outcome.OTHER, None),
    ],
)
def test_the_root_of_the_chain_decides(error, outcome, name):
    failure = classify(error)
    assert (failure.outcome, failure.errno) == (outcome, name)


def test_text_decides_nothing():
    assert (
        classify(in_requests(ValueError("Connection reset by peer [Errno 104] ECONNRESET"))).outcome
        is Outcome.OTHER
    )


def test_a_cut_body_is_truncated_only_where_an_end_was_seen():
    cut = requests.exceptions.ChunkedEncodingError(u3.ProtocolError("broken", u3.IncompleteRead(5, 10)))
    assert classify(cut, response_began=True, saw_eof=True).outcome is Outcome.TRUNCATED
    garbled = u3.ProtocolError("broken", u3.InvalidHeader("chunk"))
    assert classify(garbled, response_began=True, saw_eof=False).outcome is Outcome.OTHER


def test_half_a_status_line_is_truncated():
    cut = in_requests(http.client.BadStatusLine("HTTP/1."))
    assert classify(cut, response_began=True, saw_eof=True).outcome is Outcome.TRUNCATED


def test_a_body_cut_by_rst_keeps_its_errno():
    cut = requests.exceptions.ChunkedEncodingError(u3.ProtocolError("broken", RESET))
    failure = classify(cut, response_began=True)
    assert (failure.outcome, failure.errno) == (Outcome.RESET, "ECONNRESET")


def test_the_chain_is_told_by_class_names_outermost_first():
    assert classify(in_requests(RESET)).chain == "ConnectionError < ProtocolError < ConnectionResetError"


def test_a_chain_that_bites_its_tail_ends():
    first, second = OSError("a"), OSError("b")
    first.__context__, second.__context__ = second, first
    assert classify(first).outcome is Outcome.OTHER
