"""Why a server cannot be probed: a sentence each, with what to do next."""

from __future__ import annotations

from econnlab.commands.probe.asking.steps import Phase, StepFailed, Why
from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.errors import EconnlabError, EnvironmentProblem
from econnlab.lab.listeners import unreachable
from econnlab.plaintext import harmless
from econnlab.record.attempts import Outcome

#: So many bytes of what a server sent are shown.
_SHOWN = 40
#: The beginning of a TLS alert (RFC 8446 section 5.1: content type 21, version 3.x).
_ALERT = b"\x15\x03"
#: Types of the first frame of an HTTP/2 server: SETTINGS, or GOAWAY (RFC 9113 sections 3.4, 6.8).
_SETTINGS, _GOAWAY = 4, 7
_FRAME_HEADER = 9
_HTTP = b"HTTP/1"
#: Responses from here on are final (RFC 9110 section 15.2).
_FINAL = 200
_SWITCHING = 101
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_NO_PROTOCOL = "NO_APPLICATION_PROTOCOL"


def problem(target: ProbeTarget, failure: StepFailed, timeout_s: float) -> EconnlabError:
    """The error for a first request that got no whole answer."""
    if failure.phase is Phase.CONNECT:
        return unreachable(target.url, target.address, _as_error(failure))
    if failure.phase is Phase.TLS:
        return _tls(target, failure, timeout_s)
    return _not_http(target, failure) or _cut_short(target, failure, timeout_s)


def untrusted(target: ProbeTarget, complaint: str) -> EconnlabError:
    """The error for an untrusted certificate."""
    return EnvironmentProblem(
        f"The certificate of {target.authority} is not trusted: {harmless(complaint)}.",
        "Continue with --insecure, or name your own authorities in SSL_CERT_FILE.",
    )


def _as_error(failure: StepFailed) -> OSError:
    if failure.outcome is Outcome.TIMEOUT:
        return TimeoutError()
    if failure.outcome is Outcome.REFUSED:
        return ConnectionRefusedError()
    return OSError(0, failure.detail)


def _tls(target: ProbeTarget, failure: StepFailed, timeout_s: float) -> EconnlabError:
    where, detail = target.address, failure.detail
    if failure.outcome is Outcome.TIMEOUT:
        return EnvironmentProblem(
            f"{where} accepts the connection, but its TLS handshake does not end within {timeout_s:g} s.",
            "Check that it speaks TLS: try http:// in place of https://, or a longer --timeout.",
        )
    if _NO_PROTOCOL in detail:
        return EnvironmentProblem(
            f"{where} refuses HTTP/1.1 over TLS; it seems to speak only HTTP/2.",
            "The probe speaks HTTP/1.1, whose idle connections race; give a URL that does too.",
        )
    if any(word in detail for word in _NOT_TLS) or failure.got[:5] == b"HTTP/":
        return EnvironmentProblem(
            f"{where} does not speak TLS: it answered the handshake with {_excerpt(failure.got)}.",
            "Try http:// in place of https://.",
        )
    if failure.outcome in (Outcome.CLOSED, Outcome.RESET):
        return EnvironmentProblem(
            f"{where} closed the connection during the TLS handshake ({failure.errno or 'end of file'}).",
            "Check that it speaks TLS on this port, and for this name.",
        )
    return EnvironmentProblem(
        f"TLS with {where} failed: {harmless(detail)}.", "Check its protocol versions and its certificate."
    )


def _not_http(target: ProbeTarget, failure: StepFailed) -> EconnlabError | None:
    got = failure.got
    if target.tls is None and got[:2] == _ALERT:
        return EnvironmentProblem(
            f"{target.address} speaks TLS: it answered plain HTTP with an alert.",
            "Try https:// in place of http://.",
        )
    if _is_http2(got):
        return EnvironmentProblem(
            f"{target.address} speaks HTTP/2 only: it sent a frame of HTTP/2.",
            "The probe speaks HTTP/1.1, whose idle connections race; give a URL that does too.",
        )
    if failure.phase is not Phase.HEAD:
        return None
    if not _HTTP.startswith(got[: len(_HTTP)]):
        return EnvironmentProblem(
            f"{target.address} does not answer in HTTP/1: {_excerpt(got)}.",
            "Check the port, and what listens there.",
        )
    if failure.why is Why.UNASKED:
        return EnvironmentProblem(
            f"{target.address} sends a response before it is asked: {_excerpt(got)}.",
            "An HTTP server waits for the request: check the port, and what listens there.",
        )
    return _no_response(target, failure) if failure.outcome is Outcome.OTHER else None


def _no_response(target: ProbeTarget, failure: StepFailed) -> EconnlabError:
    """The response began as HTTP, but its head is broken."""
    if _status(failure.got) == _SWITCHING:
        return EnvironmentProblem(
            f"{target.address} switches to another protocol (101) though the probe did not ask for that.",
            "The probe speaks only HTTP/1.1: give a URL that answers a plain GET.",
        )
    if "too long" in failure.detail.lower():
        return EnvironmentProblem(
            f"{target.address} sends a header of more than 64 KiB.",
            "Check that this is the server you mean.",
        )
    return EnvironmentProblem(
        f"The header of {target.address}'s response is not HTTP: {harmless(failure.detail)}.",
        "Give another URL.",
    )


def _status(got: bytes) -> int | None:
    words = got.split(None, 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def _is_http2(got: bytes) -> bool:
    """A frame header with stream 0."""
    return len(got) >= _FRAME_HEADER and got[3] in (_SETTINGS, _GOAWAY) and not any(got[5:_FRAME_HEADER])


def _cut_short(target: ProbeTarget, failure: StepFailed, timeout_s: float) -> EconnlabError:
    where = target.address
    if failure.why is Why.TOO_LONG:
        return EnvironmentProblem(
            f"The response of {where} is longer than {target.longest_body / 1e6:g} MB, and a probe asks for "
            "it hundreds of times.",
            "Give a URL with a shorter response, --method HEAD, or a larger --byte-budget.",
        )
    if failure.outcome is Outcome.TIMEOUT:
        return EnvironmentProblem(
            f"{where} {_unfinished(failure)} within {timeout_s:g} s.",
            "Only a whole response can be timed: give another URL, or a longer --timeout.",
        )
    if failure.outcome is Outcome.OTHER:
        return EnvironmentProblem(
            f"The body of {where}'s response is not HTTP: {harmless(failure.detail)}.", "Give another URL."
        )
    how = "reset" if failure.outcome is Outcome.RESET else "closed"
    when = (
        "without a byte of a response"
        if failure.outcome in (Outcome.CLOSED, Outcome.RESET, Outcome.BROKEN_PIPE)
        and failure.phase is Phase.HEAD
        else "in the middle of its response"
    )
    return EnvironmentProblem(
        f"{where} {how} the connection {when}.",
        "So there is no idle connection to time: check the URL, and whether the server is full or stopping.",
    )


def _unfinished(failure: StepFailed) -> str:
    status = _status(failure.got) if failure.phase is Phase.HEAD else None
    if status is not None and status < _FINAL:
        return f"sends the interim response {status}, and no final one"
    return "began a response that does not end" if failure.got else "does not answer"


def _excerpt(got: bytes) -> str:
    shown = got[:_SHOWN].decode("latin-1")
    return f"'{harmless(shown)}'" + ("..." if len(got) > _SHOWN else "")
