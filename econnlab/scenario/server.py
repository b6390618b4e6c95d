"""The lab server of a scenario, and how it behaves."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum

from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless
from econnlab.scenario.bounds import at_least
from econnlab.scenario.durations import format_ms

#: Carrying out a request of these methods twice has the effect of once (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))

#: ``Keep-Alive: timeout=N`` has whole seconds.
_HEADER_STEP_MS = 1000


class Stage(StrEnum):
    """How far a request has come, on the server."""

    HANDSHAKE = "handshake"  # of TLS: the client's first bytes have been read
    UNREAD = "unread"  # in the kernel's buffer
    READ = "read"  # read whole, not carried out
    PROCESSED = "processed"  # carried out, nothing answered
    HALF_HEAD = "half_head"  # half of the response's head handed to the kernel
    HALF_BODY = "half_body"  # its head and half of its body
    ANSWERED = "answered"


class Ending(StrEnum):
    """What ends a connection."""

    FIN = "fin"  # close(2) as it comes
    RST = "rst"  # SO_LINGER 0, then close(2)
    KILL = "kill"  # SIGKILL: the kernel closes what the process had open
    NOTHING = "nothing"  # it stays open, and nothing more is read from it or said on it


class CloseWith(StrEnum):
    """How the server closes a connection."""

    FIN = "fin"  # close(2) as it comes
    RST = "rst"  # SO_LINGER 0, then close(2)


@dataclass(frozen=True)
class Fault:
    """The server ends a connection, or itself, ``after_ms`` after a request has come to the stage ``at``."""

    at: Stage
    by: Ending = Ending.FIN
    #: The first request of each connection that it strikes; it strikes those after it, too.
    request: int = 1
    after_ms: Decimal = Decimal(0)
    #: How often it strikes on the whole server, so that a retry can succeed. None: always.
    times: int | None = None
    #: Strike only requests whose method is not idempotent: POST, PATCH.
    writes: bool = False

    def __post_init__(self) -> None:
        at_least(1, request=self.request, times=self.times)
        if self.writes and self.at in (Stage.HANDSHAKE, Stage.UNREAD, Stage.ANSWERED):
            raise UsageProblem(
                f"writes: at the stage {self.at.value} no request's method is known.",
                "Take a stage from read to half_body.",
            )


@dataclass(frozen=True)
class Route:
    """What a path is answered with, in place of the server's own answer and fault."""

    #: The path without its query; a ``*`` at its end stands for any rest.
    path: str
    #: From 400 on requests are not carried out.
    status: int = 200
    body: str | None = None
    #: None: the server's own.
    content_type: str | None = None
    delay_ms: Decimal | None = None
    fault: Fault | None = None

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or not self.path.isprintable():
            raise UsageProblem(f"path: {self.path!r} does not begin with a slash.", "Write it as /orders.")
        if self.status != 200 and not 400 <= self.status <= 599:
            raise UsageProblem(f"status: expected 200, or an error from 400 to 599, found {self.status}.")
        if self.fault is not None and self.fault.at in (Stage.HANDSHAKE, Stage.UNREAD):
            raise UsageProblem(
                f"fault.at: at the stage {self.fault.at.value} no request's path is known.",
                "Take a stage from read on.",
            )

    def matches(self, path: str) -> bool:
        """Whether a request of this path, without its query, takes this route."""
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


class Retirement(StrEnum):
    """How a server ends when the next one has taken its place."""

    GRACEFUL = "graceful"  # idle connections are closed at once, requests in progress are answered first
    DRAIN = "drain"  # the next answer on each connection says Connection: close; idle ones get time for that
    ABRUPT = "abrupt"  # every connection is closed at once


@dataclass(frozen=True)
class Restart:
    """A new server process takes over the port; the old one retires."""

    after_ms: Decimal
    manner: Retirement = Retirement.GRACEFUL
    #: How long idle connections are kept with ``drain``.
    drain_ms: Decimal = Decimal(1000)


#: What a real server can be told; ``idempotency_keys`` is about what the client sends.
_OF_PEERS = frozenset(
    ("peer", "keepalive_timeout_ms", "max_connections", "response_delay_ms", "idempotency_keys")
)


@dataclass(frozen=True)
class ServerSpec:
    """The lab server and how it behaves. Durations in milliseconds."""

    keepalive_timeout_ms: Decimal = Decimal(5000)
    #: Send ``Keep-Alive: timeout=N`` (N in whole seconds, as Node does).
    advertise: bool = True
    #: Added to the real timeout and not advertised (Node >= 20 adds 1000 ms, node PR #54863).
    keepalive_buffer_ms: Decimal = Decimal(0)
    max_connections: int | None = None
    #: What happens to a connection above the limit: the name of a file in server/when_full/.
    when_full: str = "close"
    #: How many connections, from the first on, are treated as above the limit.
    refuse_first: int = 0
    close_with: CloseWith = CloseWith.FIN
    #: The event loop is blocked for ``busy_for_ms`` every ``busy_every_ms``, start to start.
    busy_for_ms: Decimal = Decimal(0)
    busy_every_ms: Decimal = Decimal(0)
    response_delay_ms: Decimal = Decimal(0)
    #: Bytes of the response body.
    response_size: int = 3
    #: The body, in place of ``response_size`` bytes of text; and its media type.
    response_body: str | None = None
    content_type: str = "text/plain"
    #: Send the body in chunks, without Content-Length.
    chunked: bool = False
    #: The status of every answer. From 400 on requests are not carried out.
    status: int = 200
    #: How many requests, from the server's first on, get that status, and later ones 200; None: all.
    status_requests: int | None = None
    #: Sent with it in ``Retry-After``, in whole seconds rounded up.
    retry_after_ms: Decimal | None = None
    #: Close a connection after this many requests; ``announce_last`` sends Connection: close with the last.
    max_requests: int | None = None
    announce_last: bool = True
    #: Answer a request body above this many bytes with 413 as soon as its size is known.
    max_body: int | None = None
    #: After a 413 read what still comes, before close(2), as nginx does (RFC 9112 section 9.6).
    lingering_close: bool = True
    #: From the connection's beginning, or a later request's first byte, to the end of the request's head.
    header_timeout_ms: Decimal | None = None
    #: Answer 408 when it has passed, before closing.
    answer_408: bool = True
    #: Listen at once and accept this long after the first connection: an application that still starts.
    accept_after_ms: Decimal = Decimal(0)
    #: Of listen(2); the kernel limits it to net.core.somaxconn.
    backlog: int = 4096
    #: False: the port is bound, and no process listens on it.
    listens: bool = True
    #: Answer a repeated ``Idempotency-Key`` without carrying the request out again.
    idempotency_keys: bool = False
    fault: Fault | None = None
    restart: Restart | None = None
    #: Answers for certain paths: the first that matches counts.
    routes: tuple[Route, ...] = ()
    #: Speak TLS, with a certificate made for the run.
    tls: bool = False
    #: End TLS with a close_notify alert before closing (RFC 8446 section 6.1).
    close_notify: bool = True
    host: str = "127.0.0.1"
    port: int = 0
    #: A real server instead of the lab's: ``node@14.18.0``, the name of a file in peers/servers/. It takes
    #: keepalive_timeout, max_connections and response_delay, as far as it has them.
    peer: str | None = None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Its own fault and those of its routes."""
        every = (self.fault, *(each.fault for each in self.routes))
        return tuple(fault for fault in every if fault is not None)

    def __post_init__(self) -> None:
        _refuse_beside_peer(self)
        at_least(0, response_size=self.response_size, max_body=self.max_body, port=self.port)
        at_least(0, refuse_first=self.refuse_first)
        at_least(1, max_requests=self.max_requests, backlog=self.backlog)
        at_least(1, status_requests=self.status_requests)
        for problem in (*_wrong_values(self), *_contradictions(self)):
            raise problem


def _wrong_values(spec: ServerSpec) -> Iterator[UsageProblem]:
    if not spec.host:
        yield UsageProblem("There is no address to listen on.", "Give one as 127.0.0.1 or 0.0.0.0.")
    text = spec.content_type
    if not (text.isascii() and text.isprintable() and text.strip()):
        yield UsageProblem(f"content_type: {text!r} is not a media type.", "Write it as application/json.")
    if spec.status != 200 and not 400 <= spec.status <= 599:
        yield UsageProblem(f"status: expected 200, or an error from 400 to 599, found {spec.status}.")
    if spec.max_connections is not None and spec.max_connections < 1:
        yield UsageProblem("A server that allows no connection cannot answer.", "Allow at least 1.")
    if spec.busy_for_ms and spec.busy_for_ms >= spec.busy_every_ms:
        yield UsageProblem(
            f"A server blocked for {spec.busy_for_ms} ms every {spec.busy_every_ms} ms never answers.",
            "Block it for less than the time from one block to the next.",
        )


def _contradictions(spec: ServerSpec) -> Iterator[UsageProblem]:
    if spec.refuse_first and spec.when_full == "queue":
        yield UsageProblem(
            "refuse_first: a connection that waits in the queue is never refused.",
            "Take another when_full: close, reset or 503.",
        )
    if spec.fault is not None and spec.fault.at is Stage.HANDSHAKE and not spec.tls:
        yield UsageProblem("fault.at: without TLS there is no handshake.", "Set tls = true as well.")
    if spec.restart is not None and any(fault.by is Ending.KILL for fault in spec.faults):
        yield UsageProblem("A server that is killed cannot retire.", "Set restart or fault, not both.")
    if not spec.listens and (spec.faults or spec.restart is not None):
        yield UsageProblem("listens: a server that does not listen can neither fail nor restart.")


# -- in words -------------------------------------------------------------------------------------

_STAGES = {
    Stage.HANDSHAKE: "in the TLS handshake",
    Stage.UNREAD: "with the request unread",
    Stage.READ: "when it has read the request",
    Stage.PROCESSED: "when it has carried the request out",
    Stage.HALF_HEAD: "after half of the response's head",
    Stage.HALF_BODY: "after half of the response's body",
    Stage.ANSWERED: "after the response",
}
_ENDINGS = {
    Ending.FIN: "closes",
    Ending.RST: "resets",
    Ending.KILL: "is killed",
    Ending.NOTHING: "falls silent",
}


def server_words(spec: ServerSpec) -> Iterator[str]:
    """What a run's header says of ``spec``; a new field adds its words here."""
    if not spec.listens:
        yield "no process listens"
        return
    yield harmless(spec.peer) if spec.peer is not None else f"lab server{' with TLS' if spec.tls else ''}"
    yield f"keep-alive timeout {format_ms(spec.keepalive_timeout_ms)} ms"
    if spec.keepalive_buffer_ms:
        yield f"closed {format_ms(spec.keepalive_buffer_ms)} ms after that"
    if spec.max_connections is not None:
        yield f"at most {spec.max_connections} connection{'s' if spec.max_connections > 1 else ''}"
        if spec.peer is None:
            yield f"when full: {harmless(spec.when_full)}"
    if spec.busy_for_ms:
        yield f"busy for {format_ms(spec.busy_for_ms)} ms every {format_ms(spec.busy_every_ms)} ms"
    if spec.close_with != CloseWith.FIN:
        yield f"closes with {spec.close_with.upper()}"
    yield from _answer_words(spec)
    if spec.routes:
        yield f"{len(spec.routes)} route{'s' if len(spec.routes) > 1 else ''}"
    if spec.idempotency_keys:
        yield "honours Idempotency-Key"
    if spec.fault is not None:
        yield _fault_words(spec.fault)
    if spec.restart is not None:
        yield f"restarted after {format_ms(spec.restart.after_ms)} ms ({spec.restart.manner.value})"


def reuse_warning(spec: ServerSpec, way_out: str) -> str:
    """A warning if clients that obey Keep-Alive: timeout never reuse a connection; else empty.

    ``way_out`` says how this command stops advertising.
    """
    if not spec.advertise or spec.keepalive_timeout_ms >= _HEADER_STEP_MS:
        return ""
    return (
        f"Keep-Alive has whole seconds, so {format_ms(spec.keepalive_timeout_ms)} ms is advertised as "
        "timeout=0, and a client that obeys it (Node since 20) never reuses a connection. "
        f"Use a timeout of 1 s or more, or {way_out}."
    )


def _answer_words(spec: ServerSpec) -> Iterator[str]:
    if spec.status != 200:
        first = "" if spec.status_requests is None else f" its first {spec.status_requests} requests"
        later = "" if spec.retry_after_ms is None else f", Retry-After {format_ms(spec.retry_after_ms)} ms"
        yield f"answers{first} with {spec.status}{later}"
    if spec.response_delay_ms:
        yield f"answers after {format_ms(spec.response_delay_ms)} ms"
    if spec.max_requests is not None:
        announced = "announced" if spec.announce_last else "not announced"
        yield f"at most {spec.max_requests} requests a connection, {announced}"
    if spec.max_body is not None:
        lingering = "a" if spec.lingering_close else "no"
        yield f"413 above {spec.max_body} bytes with {lingering} lingering close"
    if spec.header_timeout_ms is not None:
        answered = ", answered with 408" if spec.answer_408 else ""
        yield f"waits {format_ms(spec.header_timeout_ms)} ms for a request's head{answered}"
    if spec.accept_after_ms:
        late = format_ms(spec.accept_after_ms)
        yield f"accepts {late} ms after the first connection came, backlog {spec.backlog}"


def _fault_words(fault: Fault) -> str:
    when = f" from request {fault.request} on" if fault.request > 1 else ""
    later = f"{format_ms(fault.after_ms)} ms " if fault.after_ms else ""
    return f"{_ENDINGS[fault.by]} {later}{_STAGES[fault.at]}{when}"


def _refuse_beside_peer(spec: ServerSpec) -> None:
    """A setting that only the lab server has."""
    if spec.peer is None:
        return
    for field in fields(spec):
        if field.name not in _OF_PEERS and getattr(spec, field.name) != field.default:
            raise UsageProblem(
                f"{field.name.removesuffix('_ms')}: the lab server has it, and {spec.peer} does not.",
                "Leave out one of the two.",
            )
