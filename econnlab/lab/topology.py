"""The processes of a run: who listens where, who is started, replaced, and missed."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from econnlab.discovery import parts
from econnlab.errors import EconnlabError, ProcessDied
from econnlab.lab.certificates import make_certificate
from econnlab.lab.limits import start_thread
from econnlab.lab.listeners import bind, find_target
from econnlab.lab.processes import Child, Listener, Starter, start_python
from econnlab.link.tun.device import FAR, NEAR, Device, open_device
from econnlab.packets.live.door import open_door
from econnlab.peers.process import PeerProcess, find_program
from econnlab.peers.proxying import Proxying
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.scenario.codec import encode
from econnlab.scenario.durations import seconds
from econnlab.scenario.links import Delay, LinkSpec
from econnlab.scenario.model import Proxy, Scenario
from econnlab.scenario.server import Ending, Restart, ServerSpec
from econnlab.system.clock import now
from econnlab.system.sockets import address

LOOPBACK = "127.0.0.1"
#: Connections of a server that took over are numbered from here, so that a ledger names each once.
SUCCESSOR_NUMBERS = 1_000_001


@dataclass(frozen=True)
class _Wire:
    """The wire's device, as a child takes it over."""

    device: Device
    where: tuple[str, int]

    def fileno(self) -> int:
        return self.device.fileno()

    def getsockname(self) -> tuple[str, int]:
        return self.where

    def close(self) -> None:
        self.device.close()


class Topology:
    """Starts what ``scenario`` needs beside its clients; ``url`` and ``dial`` then say where those go.

    ``on_failure`` is called, from another thread, with the error that ends the run. ``capture`` is the
    descriptor of a file that takes every packet from and to what is started; ``start`` starts each process.
    """

    def __init__(
        self,
        scenario: Scenario,
        on_failure: Callable[[EconnlabError], None],
        capture: int | None = None,
        *,
        start: Starter = start_python,
    ) -> None:
        self._scenario = scenario
        self._start_process = start
        self._capture_into = capture
        #: Begins first and ends last: it is to see what the others' ends look like.
        self._capture: Child | None = None
        self._ports: list[int] = []
        self._on_failure = on_failure
        self._children: list[Child] = []
        self._own_events: deque[ConnectionEvent] = deque()
        self._held: socket.socket | None = None
        self._restart: threading.Timer | None = None
        #: Takes the server's place in a restart; until then it does not listen.
        self._successor: Child | None = None
        self._stopping = False
        self._proxy: PeerProcess | None = None
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self.url = ""
        self.dial = (LOOPBACK, 0)
        #: A file with the certificate authority of a server that speaks TLS.
        self.trusted: str | None = None

    # -- beginning and end ------------------------------------------------------------------------

    def start(self) -> None:
        """Start server and link, without waiting for them to listen."""
        server = self._scenario.server
        if server is not None:
            self._start_server(server)
        else:
            assert self._scenario.url is not None
            target = find_target(self._scenario.url)
            self.url, self.dial = target.url, (target.host, target.port)
            self._ports.append(target.port)
        if self._scenario.relayed:
            middlebox = self._scenario.middlebox
            settings = {
                "spec": encode(self._scenario.link),
                "seed": self._scenario.seed,
                "upstream": self.dial,
                "middlebox": None if middlebox is None else encode(middlebox),
            }
            self.dial = (LOOPBACK, self._start("econnlab.link", bind(LOOPBACK, 0), settings).port)
            self._ports.append(self.dial[1])
        if self._scenario.proxy is not None:
            self._start_proxy(self._scenario.proxy)
            self._ports.append(self.dial[1])
        if self._capture_into is not None:
            self._start_capture(self._capture_into)

    def _start_capture(self, into: int) -> None:
        settings = {"ports": self._ports, "into": into, "local": address(self.dial)}
        self._capture = self._child(
            "econnlab.packets.live", open_door(), settings, name="capture", beside=[into]
        )

    def _start_proxy(self, spec: Proxy) -> None:
        """In front of all that has been started."""
        proxy = parts("econnlab.peers.proxies")[spec.kind]
        program = find_program(proxy.PROGRAM, proxy.PACKAGE)
        with bind(LOOPBACK, 0) as free:
            port = int(free.getsockname()[1])  # it binds by itself, so another process could come before it
        upstream, idle_timeout_ms = self.dial[1], int(spec.idle_timeout_ms)
        self._proxy = PeerProcess(
            spec.kind,
            port,
            lambda folder: proxy.command(program, Proxying(folder, port, upstream, idle_timeout_ms)),
        )
        self.dial = (LOOPBACK, port)
        self.url = f"http://{address(self.dial)}/"

    def _start_server(self, spec: ServerSpec) -> None:
        device = open_device() if self._scenario.wired else None
        listener = bind(spec.host if device is None else NEAR, spec.port)
        port = listener.getsockname()[1]
        self.dial = (LOOPBACK if spec.host == "0.0.0.0" else spec.host, port)
        self._ports.append(port)
        if device is not None:
            self.dial = (FAR, port)
        speaks_tls = spec.tls if self._scenario.client.tls is None else self._scenario.client.tls
        self.url = f"{'https' if speaks_tls else 'http'}://{address(self.dial)}/"
        if not spec.listens:
            self._held = (
                listener  # bound and not listening: the kernel refuses, and nobody else gets the port
            )
            return
        certificate = None
        if spec.tls or speaks_tls:
            self._files = tempfile.TemporaryDirectory(prefix="econnlab-")
            made = make_certificate(Path(self._files.name), self.dial[0], LOOPBACK)  # a link's
            certificate, self.trusted = made.server, made.authority
        settings = {"spec": encode(spec), "certificate": certificate}
        # Whoever serves last removes the certificate's files at its end, which comes even if we are killed.
        last = {} if self._files is None else {"remove": self._files.name}
        if spec.restart is None:
            self._start("econnlab.server", listener, {**settings, **last})
        else:
            taken_over = listener.dup()
            self._start("econnlab.server", listener, settings)
            # Started now, so that the time this takes does not fall into the run.
            standby = {**settings, **last, "first_number": SUCCESSOR_NUMBERS, "standby": True}
            self._successor = self._start("econnlab.server", taken_over, standby)
        if device is not None:
            assert self._scenario.kernel is not None
            delay = Delay(self._scenario.kernel.packet_delay_ms, Decimal(0))
            settings = {"spec": encode(LinkSpec("wire", delay, delay)), "seed": 0, "port": port}
            self._start("econnlab.link.tun", _Wire(device, self.dial), settings)

    def _start(self, module: str, listener: Listener, settings: dict[str, Any]) -> Child:
        child = self._child(module, listener, settings)
        self._children.append(child)
        return child

    def _child(self, module: str, listener: Listener, settings: dict[str, Any], **more: Any) -> Child:
        """One whose death, which another thread tells, may come before it is all there."""
        born: Future[Child] = Future()
        child = Child(
            module,
            listener,
            settings,
            lambda: self._on_death(born.result()),
            start=self._start_process,
            **more,
        )
        born.set_result(child)
        return child

    def wait_until_listening(self) -> None:
        """Raises ProcessDied if one of them ends before it listens."""
        if self._capture is not None:
            self._capture.wait_until_listening()
        for child in self._children:
            if child is self._successor:
                child.sync()  # it is up, and waits for its turn
            else:
                child.wait_until_listening()
        if self._proxy is not None:
            self._proxy.wait_until_listening()

    def begin(self, at: float | None = None) -> None:
        """The run begins (or did ``at``): from then on count what is planned for later."""
        server = self._scenario.server
        if server is not None and server.restart is not None:
            gone = 0.0 if at is None else now() - at
            self._restart = threading.Timer(
                max(0.0, seconds(server.restart.after_ms) - gone), self._take_over, [server.restart]
            )
            self._restart.daemon = True
            start_thread(self._restart)

    def stop(self) -> None:
        """See every process end; what they said until then can still be taken."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            if self._restart.ident is not None:
                self._restart.join()
        if self._held is not None:
            self._held.close()
        if self._proxy is not None:
            self._proxy.stop()
        for child in self._children:
            child.tell_to_stop()
        for child in self._children:
            child.stop()
        if self._capture is not None:
            self._capture.stop()
        if self._files is not None:
            self._files.cleanup()

    # -- while it runs ----------------------------------------------------------------------------

    def _take_over(self, restart: Restart) -> None:
        """Let the successor listen on the same socket; then let the server retire."""
        assert self._successor is not None
        try:
            self._successor.listen()
            self._successor.wait_until_listening()
        except EconnlabError as error:
            if not self._stopping:
                self._on_failure(error)
            return
        self._children[0].retire(encode(restart))

    def _on_death(self, child: Child) -> None:
        """Called from the child's reading thread."""
        self._own_events.append(
            ConnectionEvent(now(), Source.LAB, Kind.DIED, reason=child.name, how=child.how_it_ended)
        )
        if not self._may_die(child):
            self._on_failure(child.death())

    def _may_die(self, child: Child) -> bool:
        server = self._scenario.server
        planned = server is not None and server.fault is not None and server.fault.by is Ending.KILL
        return planned and child.name == "server"

    def sync(self) -> None:
        """Wait until all that has happened up to now can be taken."""
        for child in self._children:
            if not child.alive:
                continue
            with contextlib.ExitStack() as stack:
                if child.retiring or self._may_die(child):
                    stack.enter_context(contextlib.suppress(ProcessDied))
                child.sync()

    def wait_for_news(self, timeout: float) -> None:
        """Wait for the server's ledger to grow, for ``wake``, or for ``timeout`` seconds."""
        self._children[0].wait_for_news(timeout)

    def wake(self) -> None:
        """End a wait for news."""
        self._children[0].wake()

    def take_events(self) -> list[ConnectionEvent]:
        """Everything in the ledgers since the last call."""
        children = self._children if self._capture is None else [*self._children, self._capture]
        events = [event for child in children for event in child.take_events()]
        while self._own_events:
            events.append(self._own_events.popleft())
        return [event for event in events if event.kind != Kind.SYNC]
