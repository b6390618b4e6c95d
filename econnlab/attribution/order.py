"""The precedence of the causes: if several rules fit a failure, the first one listed here names its cause.

Each neighbourhood says why it stands where it does. A rule asks only for its own evidence and does not rule
out the causes above it. A new cause adds one line here.
"""

from types import ModuleType

from econnlab.discovery import parts

CAUSES = "econnlab.attribution.causes"

ORDER = (
    # No connection was made. A scan comes before the refusals and resets that it consists of. A closed port
    # comes before crash: a connection to it is refused after the crash, not ended by it.
    "port_scan",
    "port_exhaustion",
    "not_listening",
    "unreachable",
    # The two sides did not speak the same protocol, or the client rejected the certificate. What they then
    # sent and how they closed follows from that.
    "tls_mismatch",
    "tls_untrusted",
    # An alert in the clear says why the handshake failed; one about the certificate is tls_untrusted.
    "tls_alert",
    # The answer had come before anything ended the connection.
    "early_response",
    # NAT changed what the client saw, so that its RST says nothing of the client.
    "conntrack_invalid",
    # A WebSocket has no requests that could have been answered.
    "websocket_cut",
    # The client ended the connection first; what the server's side sent later only answers that.
    "client_aborted",
    "harmless_reset",
    # The whole process went away, and all of its connections with it: how this one ended, and how long it had
    # been idle, does not matter. A crash closes the port as well, so it comes before forged RSTs.
    "crash",
    # The server did not send the RST, so no reason that the server may have had applies. An RST by a host
    # that does not know the connection comes before restart: a process that restarts closes with a FIN, and a
    # middlebox that loses its table ends many connections at once, too.
    # A router said that the packets do not fit; without that, they vanished, after a silence or in use. A
    # listen queue that overflows leaves packets unacknowledged as well, and its SYN-ACK comes again.
    "packet_too_big",
    # A middlebox that forgot a connection after a long silence answers with an RST of its own.
    "idle_drop",
    "middlebox_reset",
    "restart",
    "process_ended",
    # A new connection that the server did not serve. A server that waited for the request's head did not
    # turn the connection away. A connection that was accepted, or that stands in the accept queue, did not
    # overflow that queue. Servers turn connections away within the TLS handshake as well.
    "header_timeout",
    "over_capacity",
    "backlog_overflow",
    "unacknowledged",
    "tls_closed",
    # HTTP/2 says of its streams what became of them.
    "stream_reset",
    # An idle connection met its end. First what explains why the request came late, then whether the kernel
    # had it at the close; a reason that the server had for closing; the idle timer is what remains.
    "client_frozen",
    "client_blocked",
    "unread_data",
    "max_requests",
    "close_after_response",
    "keepalive_race",
    # The server had the request. The further it came, the more is known.
    "response_cut",
    "reset_after_processing",
    "request_abandoned",
    # The connection lived, and what came over it, or did not come, is the failure. A status that has a cause
    # of its own (408, 503) is named above.
    "error_response",
    "slow_response",
    "invalid_response",
)


def rules() -> list[tuple[str, ModuleType]]:
    """Every cause with its rule, in order of precedence."""
    found = parts(CAUSES)
    return [(name, found[name]) for name in ORDER]
