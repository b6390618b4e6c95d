"""The link: takes connections on its listener and relays each to the upstream, on one clockwork."""

from __future__ import annotations

import errno
import heapq
import itertools
import socket
from collections.abc import Callable
from typing import Any

from econnlab.link.delays import delays
from econnlab.link.poller import READ, WRITE, Poller
from econnlab.link.relay import Relay, Side
from econnlab.record.events import Kind
from econnlab.record.ledger import Ledger
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.model import Middlebox
from econnlab.system.clock import now
from econnlab.system.sockets import address, errno_name

BACKLOG = 4096
#: While the upstream refuses, it is asked again this often.
ASK_AGAIN_S = 0.1

Address = tuple[str, int]


def family_of(where: Address) -> socket.AddressFamily:
    """IPv6 for an address with colons, else IPv4."""
    return socket.AF_INET6 if ":" in where[0] else socket.AF_INET


def prepared(sock: socket.socket) -> socket.socket:
    """``sock``, to be relayed: it never blocks, and nothing waits for more (Nagle)."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Link:
    """Relays from ``listener`` to ``upstream`` with the delays of ``spec``."""

    def __init__(
        self,
        spec: LinkSpec,
        seed: int,
        listener: socket.socket,
        upstream: Address,
        ledger: Ledger,
        poller: Poller,
        middlebox: Middlebox | None = None,
    ) -> None:
        self.middlebox = middlebox
        self.upstream = upstream
        self.ledger = ledger
        self.poller = poller
        self._spec = spec
        self._seed = seed
        self._listener = listener
        self._relays: dict[int, Relay] = {}
        self._numbers = itertools.count(1)
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._plan_count = itertools.count()
        self._refusing = False
        self._stopped = False

    # -- clockwork ------------------------------------------------------------------------------

    def at(self, due: float, act: Callable[[], None]) -> None:
        """Call ``act`` once the clock reads ``due``."""
        heapq.heappush(self._plans, (due, next(self._plan_count), act))

    def run(self) -> None:
        """Relay until stopped."""
        self._listen()
        self.ledger.flush()
        while not self._stopped:
            self.poller.wait(max(0.0, self._plans[0][0] - now()) if self._plans else None)
            while self._plans and self._plans[0][0] <= now():
                heapq.heappop(self._plans)[2]()

    def obey(self, command: dict[str, Any]) -> None:
        """Obey a command beyond those that every child knows; a link of a run has none."""

    def stop(self) -> None:
        """Make ``run`` return."""
        self._stopped = True

    def close(self) -> None:
        """Close the listener and every relayed connection."""
        self._stopped = True
        self.poller.forget(self._listener.fileno())
        self._listener.close()
        for relay in list(self._relays.values()):
            relay.close()
        self.ledger.event(Kind.STOPPED)

    # -- taking connections ---------------------------------------------------------------------

    def _listen(self) -> None:
        self._refusing = False
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self.poller.watch(self._listener.fileno(), READ, lambda _: self._on_acceptable())
        self.ledger.event(Kind.LISTENING, local=address(self._listener.getsockname()))

    def _on_acceptable(self) -> None:
        self._accept_one()

    def _accept_one(self) -> bool:
        """Whether there was one."""
        try:
            pair = self._accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._pause(errno_name(error.errno))
            return False
        if pair is not None:
            self._relay(*pair)
        return pair is not None

    def _accept(self) -> tuple[socket.socket, socket.socket, str] | None:
        upstream = socket.socket(family_of(self.upstream), socket.SOCK_STREAM)
        try:
            client, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            upstream.close()
            return None
        except OSError:
            upstream.close()
            raise
        return client, upstream, address(peer)

    def _relay(self, client: socket.socket, upstream: socket.socket, peer: str) -> None:
        number = next(self._numbers)
        self.ledger.event(Kind.ACCEPTED, number, peer=peer)
        self._begin(number, client, upstream)

    def _begin(self, number: int, client: socket.socket, upstream: socket.socket) -> None:
        prepared(client), prepared(upstream)
        self._relays[number] = relay = self._relay_of(
            number,
            Side("client", client, delays(self._spec.to_server, f"{self._seed}/{number}/to_server")),
            Side("server", upstream, delays(self._spec.to_client, f"{self._seed}/{number}/to_client")),
        )
        relay.start()

    def _relay_of(self, number: int, client: Side, server: Side) -> Relay:
        return Relay(self, number, client, server)

    def _pause(self, reason: str) -> None:
        # Out of descriptors: the connection stays in the queue, readable; asking again would spin.
        self.poller.forget(self._listener.fileno())
        self.ledger.event(Kind.ACCEPT_PAUSED, reason=reason)
        self.at(now() + ASK_AGAIN_S, self._listen)

    def forget(self, number: int) -> None:
        """A relay has ended."""
        self._relays.pop(number, None)

    # -- an upstream that refuses ---------------------------------------------------------------

    def on_connect_failed(self, failed: int) -> None:
        """Pass a refusal on: from now on the link's own port refuses, until the upstream listens again.

        The first client to meet it has been accepted already and gets an RST; user space cannot take a
        handshake back.
        """
        if failed != errno.ECONNREFUSED or self._refusing or self._stopped:
            return
        self._refusing = True
        here = self._listener.getsockname()
        self.poller.forget(self._listener.fileno())
        family = self._listener.family
        self._listener.close()
        # Bound and not listening: the port stays ours, and the kernel refuses who asks for it.
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(here)
        self.at(now() + ASK_AGAIN_S, self._ask_upstream)

    def _ask_upstream(self) -> None:
        probe = socket.socket(family_of(self.upstream), socket.SOCK_STREAM)
        probe.setblocking(False)

        def on_result(_: int) -> None:
            failed = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.poller.forget(probe.fileno())
            probe.close()
            if failed:
                self.at(now() + ASK_AGAIN_S, self._ask_upstream)
            else:
                self._listen()

        probe.connect_ex(self.upstream)
        self.poller.watch(probe.fileno(), WRITE, on_result)
