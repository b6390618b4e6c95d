"""The processes of a run: what listens where, starts, is replaced, and must not die."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from econnlab.discovery import parts
from econnlab.errors import EconnlabError, ProcessDied
from econnlab.lab.certificates import make_certificate
from econnlab.lab.children import Child, Listener
from econnlab.lab.limits import start_thread
from econnlab.lab.listeners import bind, find_target
from econnlab.link.settings import LinkSettings, WireSettings
from econnlab.link.tun.device import FAR, NEAR, TunDevice, open_device
from econnlab.packets.live.door import open_door
from econnlab.packets.live.settings import CaptureSettings
from econnlab.peers.peer import PeerProcess
from econnlab.peers.proxying import Proxying
from econnlab.peers.server_peer import ServerPeer
from econnlab.peers.store import find_program
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.scenario.codec import encode
from econnlab.scenario.durations import seconds
from econnlab.scenario.links import Delay, LinkSpec
from econnlab.scenario.model import Proxy, Scenario
from econnlab.scenario.places import LOOPBACK, Place
from econnlab.scenario.server import Ending, Restart, ServerSpec
from econnlab.scenario.treatment import Treatment
from econnlab.server.settings import ServerSettings
from econnlab.system.child import ChildSettings, Verb
from econnlab.system.clock import now
from econnlab.system.process import Starter, start_python
from econnlab.system.sockets import address

#: Connections of a server that took over are numbered from here, so that a ledger names each once.
SUCCESSOR_NUMBERS = 1_000_001


class Topology:
    """Starts what ``scenario`` needs beside its clients; then ``url`` and ``dial`` say where they connect.

    ``on_failure`` is called, from another thread, with the error that ends the run. ``capture`` is the
    descriptor of a file for every packet from and to what is started; ``start`` starts each process.
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
        #: Starts first and stops last, to record how the others end.
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
        #: A real server in place of the lab's.
        self.server_peer: ServerPeer | None = None
        self.url = ""
        self.dial = (LOOPBACK, 0)
        #: A file with the certificate authority of a server that speaks TLS, once the server listens.
        self.trusted: str | None = None

    # -- beginning and end ------------------------------------------------------------------------

    def start(self) -> None:
        """Start server and link, without waiting for them to listen."""
        scenario = self._scenario
        if scenario.server is not None and scenario.server.peer is not None:
            self._start_server_peer(scenario.server)
        elif scenario.server is not None:
            self._start_server(scenario.server)
        else:
            assert scenario.url is not None
            target = find_target(scenario.url)
            self.url, self.dial = target.url, (target.host, target.port)
            self._ports.append(target.port)
        if scenario.relayed:
            settings = LinkSettings(
                treatment=Treatment(scenario.link, scenario.middlebox),
                seed=scenario.seed,
                upstreams=(Place(*self.dial),),
                traced=True,
            )
            self.dial = (LOOPBACK, self._start("econnlab.link", bind(LOOPBACK, 0), settings).port)
            self._ports.append(self.dial[1])
        if scenario.proxy is not None:
            self._start_proxy(scenario.proxy)
            self._ports.append(self.dial[1])
        if self._capture_into is not None:
            self._start_capture(self._capture_into)

    def _start_capture(self, into: int) -> None:
        settings = CaptureSettings(ports=tuple(self._ports), into=into, local=address(self.dial))
        self._capture = self._child(
            "econnlab.packets.live", open_door(), settings, part="capture", beside=[into]
        )

    def _start_proxy(self, spec: Proxy) -> None:
        """In front of all that has been started."""
        proxy = parts("econnlab.peers.proxies")[spec.kind]
        program = find_program(proxy.PROGRAM, proxy.PACKAGE)
        with bind(LOOPBACK, 0) as free:
            port = int(free.getsockname()[1])  # the proxy binds it, so another process could be faster
        upstream, idle_timeout_ms = self.dial[1], int(spec.idle_timeout_ms)
        self._proxy = PeerProcess(
            spec.kind,
            port,
            lambda folder: proxy.command(program, Proxying(folder, port, upstream, idle_timeout_ms)),
        )
        self.dial = (LOOPBACK, port)
        self.url = f"http://{address(self.dial)}/"

    def _start_server_peer(self, spec: ServerSpec) -> None:
        with bind(LOOPBACK, 0) as free:
            port = int(free.getsockname()[1])  # the peer binds it, so another process could be faster
        self.server_peer = ServerPeer(spec, port)
        self.dial = (LOOPBACK, port)
        self.url = f"http://{address(self.dial)}/"
        self._ports.append(port)

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
            self._held = listener  # bound and not listening: the kernel refuses, and no other gets the port
            return
        self._start_servers(spec, listener, tls=spec.tls or speaks_tls)
        if device is not None:
            self._start_wire(device)

    def _start_servers(self, spec: ServerSpec, listener: socket.socket, *, tls: bool) -> None:
        first = last = ServerSettings(spec=spec)
        if tls:
            made = make_certificate(self.dial[0], LOOPBACK)  # a link listens on LOOPBACK
            first = replace(first, certificate=made.server)
            # The server that ends last keeps the file.
            last = replace(first, authority=made.authority, authority_file=made.authority_file)
            self.trusted = made.authority_file
        if spec.restart is None:
            self._start("econnlab.server", listener, last)
            return
        taken_over = listener.dup()
        self._start("econnlab.server", listener, first)
        # It starts now, so that the time this takes does not fall into the run.
        standby = replace(last, first_number=SUCCESSOR_NUMBERS, standby=True)
        self._successor = self._start("econnlab.server", taken_over, standby)

    def _start_wire(self, device: TunDevice) -> None:
        assert self._scenario.kernel is not None
        delay = Delay(self._scenario.kernel.packet_delay_ms, Decimal(0))
        settings = WireSettings(spec=LinkSpec("wire", delay, delay), seed=0, port=self.dial[1])
        self._start("econnlab.link.tun", replace(device, port=self.dial[1]), settings)

    def _start(self, module: str, listener: Listener, settings: ChildSettings) -> Child:
        child = self._child(module, listener, settings)
        self._children.append(child)
        return child

    def _child(self, module: str, listener: Listener, settings: ChildSettings, **more: Any) -> Child:
        return Child(module, listener, settings, self._on_death, start=self._start_process, **more)

    def wait_until_listening(self) -> None:
        """Raises ProcessDied or LabFault if one of them ends before it listens."""
        if self._capture is not None:
            self._capture.wait_until_listening()
        for child in self._children:
            if child is self._successor:
                child.sync()  # it has started, and does not listen yet
            else:
                child.wait_until_listening()
        for peer in (self.server_peer, self._proxy):
            if peer is not None:
                peer.wait_until_listening()

    def begin(self, at: float | None = None) -> None:
        """The run begins now, or began ``at``: the time to a planned restart counts from then."""
        server = self._scenario.server
        if server is not None and server.restart is not None:
            gone = 0.0 if at is None else now() - at
            self._restart = threading.Timer(
                max(0.0, seconds(server.restart.after_ms) - gone), self._take_over, [server.restart]
            )
            self._restart.daemon = True
            start_thread(self._restart)

    def stop(self) -> None:
        """End every process. What they have said can still be taken."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            if self._restart.ident is not None:
                self._restart.join()
        if self._held is not None:
            self._held.close()
        for peer in (self._proxy, self.server_peer):
            if peer is not None:
                peer.stop()
        for child in self._children:
            child.tell_to_end()
        for child in self._children:
            child.stop()
        if self._capture is not None:
            self._capture.stop()
        if self.trusted is not None:  # the server has removed it, unless it was killed
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.trusted)

    # -- while it runs ----------------------------------------------------------------------------

    def _take_over(self, restart: Restart) -> None:
        """Make the successor listen on the same socket, then the server retire."""
        assert self._successor is not None
        try:
            self._successor.tell(Verb.LISTEN)
            self._successor.wait_until_listening()
        except EconnlabError as error:
            if not self._stopping:
                self._on_failure(error)
            return
        self._children[0].retire(encode(restart))

    def _on_death(self, child: Child) -> None:
        # In the child's reading thread.
        self._own_events.append(
            ConnectionEvent(now(), Source.LAB, Kind.DIED, reason=child.part, how=child.killed_by)
        )
        if not self._may_die(child):
            self._on_failure(child.death())

    def _may_die(self, child: Child) -> bool:
        server = self._scenario.server
        planned = server is not None and any(fault.by is Ending.KILL for fault in server.faults)
        return planned and child.part == "server"

    def sync(self) -> None:
        """Wait until ``take_events`` returns all that has happened up to now."""
        if self.server_peer is not None:
            self.server_peer.sync()
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
        if self.server_peer is not None:
            events += self.server_peer.take_events()
        while self._own_events:
            events.append(self._own_events.popleft())
        return [event for event in events if event.kind != Kind.SYNC]
