"""Where a link takes connections: its listener, which can be shut, or refuse as the upstream does."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from econnlab.link.clockwork import Clockwork
from econnlab.link.endpoint import Upstreams, socket_for
from econnlab.link.poller import READ, WRITE
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.system.clock import now
from econnlab.system.sockets import address, errno_name

BACKLOG = 4096
#: Seconds between attempts to listen again.
ASK_AGAIN_S = 0.1


class Intake:
    """Gives each connection to ``take``: the client's socket, one for its upstream, and the peer.

    At most ``a_turn`` connections are taken before open ones have their turn.
    """

    def __init__(
        self,
        listener: socket.socket,
        upstreams: Upstreams,
        ledger: Ledger,
        clockwork: Clockwork,
        take: Callable[[socket.socket, socket.socket, str], None],
        a_turn: int,
    ) -> None:
        self._listener = listener
        self._upstreams = upstreams
        self._ledger = ledger
        self._clockwork = clockwork
        self._take = take
        self._a_turn = a_turn
        self._shut = self._refusing = self._closed = False

    def listen(self) -> None:
        """Listen, or listen again."""
        self._refusing = False
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._watch()
        self._ledger.event(Kind.LISTENING, local=address(self._listener.getsockname()))

    def shut(self, reason: str | None) -> None:
        """Leave new connections in the kernel's queue for this ``reason``; with None, take them again."""
        if self._closed or self._shut == (reason is not None):
            return
        self._shut = reason is not None
        self._ledger.event(Kind.ACCEPT_PAUSED if self._shut else Kind.ACCEPT_RESUMED, reason=reason)
        if not self._refusing:
            self._watch()

    def close(self) -> None:
        """Take no more connections."""
        self._closed = True
        self._clockwork.poller.forget(self._listener.fileno())
        self._listener.close()

    def _watch(self) -> None:
        if self._shut:
            self._clockwork.poller.forget(self._listener.fileno())
        else:
            self._clockwork.poller.watch(self._listener.fileno(), READ, lambda _: self._on_acceptable())

    def _on_acceptable(self) -> None:
        for _ in range(self._a_turn):
            if self._shut or not self._accept():
                return

    def _accept(self) -> bool:
        """Whether there was a connection."""
        upstream = None
        try:
            upstream = socket_for(self._upstreams.order[0])
            client, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            pass
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._pause(errno_name(error.errno))
        else:
            self._take(client, upstream, address(peer))
            return True
        if upstream is not None:
            upstream.close()
        return False

    def _pause(self, reason: str) -> None:
        # Out of descriptors: the connection stays in the queue and the listener readable, so look away.
        self._clockwork.poller.forget(self._listener.fileno())
        self._ledger.event(Kind.ACCEPT_PAUSED, reason=reason)
        self._clockwork.at(now() + ASK_AGAIN_S, self.listen)

    # -- an upstream that refuses -----------------------------------------------------------------

    def on_connect_failed(self, failed: int) -> None:
        """Refuse connections until the upstream, which has refused one, listens again.

        The first client has been accepted already and gets an RST: user space cannot undo a handshake.
        """
        if failed != errno.ECONNREFUSED or self._refusing or self._closed:
            return
        self._refusing = True
        here = self._listener.getsockname()
        self._clockwork.poller.forget(self._listener.fileno())
        family = self._listener.family
        self._listener.close()
        # Bound and not listening: the port stays ours, and the kernel refuses connections to it.
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(here)
        self._clockwork.at(now() + ASK_AGAIN_S, self._ask_upstream)

    def _ask_upstream(self) -> None:
        where = self._upstreams.rotate()
        probe = socket_for(where)
        probe.setblocking(False)

        def on_result(_: int) -> None:
            failed = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._clockwork.poller.forget(probe.fileno())
            probe.close()
            if failed:
                self._clockwork.at(now() + ASK_AGAIN_S, self._ask_upstream)
            else:
                self.listen()

        probe.connect_ex(where)
        self._clockwork.poller.watch(probe.fileno(), WRITE, on_result)
