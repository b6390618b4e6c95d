"""A real server as part of a run: started, awaited, heard, stopped."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from econnlab.discovery import parts
from econnlab.errors import EconnlabError, UsageProblem
from econnlab.peers.command import ServerOrder
from econnlab.peers.named import PeerName, parse_peer
from econnlab.peers.pipes import TalkingPeer
from econnlab.record.events import CloseReason, ConnectionEvent, Kind, Source
from econnlab.record.run import Ledger
from econnlab.scenario.server import ServerSpec
from econnlab.system.clock import now

SERVERS = "econnlab.peers.servers"
#: A healthy program listens within this many seconds.
LISTEN_S = 15.0
_ASK_AGAIN_S = 0.02
_SYNC_S = 2.0


def find_server(spec: ServerSpec) -> tuple[PeerName, ModuleType]:
    """The peer that ``spec`` names. Raises UsageProblem if there is none, or it cannot do what is asked."""
    assert spec.peer is not None
    name = parse_peer(spec.peer)
    module = parts(SERVERS).get(name.kind)
    if module is None:
        raise UsageProblem(
            f"There is no server peer {name.kind!r}.", f"There are {', '.join(parts(SERVERS))}."
        )
    asked = {
        "max_connections": spec.max_connections is not None,
        "response_delay": bool(spec.response_delay_ms),
    }
    for setting, reason in module.CANNOT.items():
        if asked[setting]:
            raise UsageProblem(f"{name.kind} cannot be given {setting}: {reason}.", "Leave it out.")
    if spec.keepalive_timeout_ms % module.STEP_MS:
        raise UsageProblem(
            f"{name.kind} takes its keep-alive timeout in steps of {module.STEP_MS} ms.",
            f"Give a multiple of it as --keepalive-timeout, not {spec.keepalive_timeout_ms} ms.",
        )
    return name, module


class ServerPeer:
    """Starts the peer that ``spec`` names on 127.0.0.1 ``port``; ``by_default`` with its own timeout."""

    def __init__(self, spec: ServerSpec, port: int, *, by_default: bool = False) -> None:
        name, module = find_server(spec)
        self.port = port
        self.ledger: Ledger = module.LEDGER
        self._folder = tempfile.TemporaryDirectory(prefix=f"econnlab-{name.kind}-")
        self._log = _Log()
        self._stopping = False
        self._synced = threading.Condition()
        self._syncs_asked = self._syncs_heard = 0
        try:
            order = ServerOrder(
                port,
                Path(self._folder.name),
                None if by_default else int(spec.keepalive_timeout_ms),
                spec.max_connections,
                int(spec.response_delay_ms),
            )
            command = module.command(name, order)
            self.version = " on ".join(filter(None, (f"{name.kind} {command.version}", command.runtime)))
            self._peer = TalkingPeer(f"The server {name}", command, self._hear, self._folder.name)
        except BaseException:
            self._folder.cleanup()
            raise

    def wait_until_listening(self) -> None:
        """Raises EnvironmentProblem, with its last words, if it ends or is too slow."""
        deadline = now() + LISTEN_S
        while True:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._peer.ended(_ASK_AGAIN_S) or now() >= deadline:
                raise self._peer.not_started()

    @property
    def alive(self) -> bool:
        """It has not ended by itself."""
        return not self._peer.ended()

    def death(self) -> EconnlabError:
        """The error to raise after it has ended by itself."""
        return self._peer.death()

    def sync(self) -> None:
        """Wait until what it has said up to now can be taken; a peer that cannot answer is not waited for."""
        if self.ledger is not Ledger.CONNECTIONS:
            return
        with self._synced:
            self._syncs_asked += 1
            if self._peer.say({"kind": "sync"}):
                self._synced.wait_for(lambda: self._syncs_heard >= self._syncs_asked, _SYNC_S)

    def take_events(self) -> list[ConnectionEvent]:
        """What it has said since the last call."""
        return self._log.take()

    def stop(self) -> None:
        """End it, and remove its files."""
        self._stopping = True
        self._peer.stop()
        self._folder.cleanup()

    def _hear(self, line: Mapping[str, Any] | None) -> None:
        if line is None and not self._stopping:
            self._log.died(now())
        if line is None or line.get("kind") == "sync":
            with self._synced:
                self._syncs_heard += 1 if line else self._syncs_asked
                self._synced.notify_all()
            return
        self._log.add(line)


class _Log:
    """The lines of a server peer as events of the record."""

    def __init__(self) -> None:
        self._events: deque[ConnectionEvent] = deque()
        self._numbers: dict[str, int] = {}
        self._timed_out: set[int] = set()

    def take(self) -> list[ConnectionEvent]:
        taken = []
        while self._events:
            taken.append(self._events.popleft())
        return taken

    def died(self, at: float) -> None:
        """It has ended by itself."""
        self._events.append(ConnectionEvent(at, Source.LAB, Kind.DIED, reason="server"))

    def add(self, line: Mapping[str, Any]) -> None:
        """Take in one line; one of another kind is passed over."""
        add = {
            "accepted": self._accepted,
            "request": self._request,
            "timeout": self._timeout,
            "closed": self._closed,
            "dropped": self._dropped,
        }.get(str(line.get("kind")))
        if add is not None and isinstance(line.get("at"), float):
            add(line["at"], line.get("peer"), line)

    def _event(self, at: float, kind: Kind, address: str | None, **more: Any) -> None:
        number = self._numbers.get(address or "", 0)
        self._events.append(ConnectionEvent(at, Source.SERVER, kind, connection=number, **more))

    def _accepted(self, at: float, peer: str | None, line: Mapping[str, Any]) -> None:
        if peer is not None:
            self._numbers[peer] = len(self._numbers) + 1
            self._event(at, Kind.ACCEPTED, peer, peer=peer)

    def _request(self, at: float, peer: str | None, line: Mapping[str, Any]) -> None:
        what = {"request_id": line.get("id"), "method": line.get("method")}
        self._event(at, Kind.REQUEST, peer, **what)
        self._event(at, Kind.PROCESSED, peer, request_id=line.get("id"))

    def _timeout(self, at: float, peer: str | None, line: Mapping[str, Any]) -> None:
        self._timed_out.add(self._numbers.get(peer or "", 0))
        if line.get("idle_s") is not None:
            self._event(at, Kind.IDLE_TIMEOUT, peer, idle_s=line["idle_s"])

    def _closed(self, at: float, peer: str | None, line: Mapping[str, Any]) -> None:
        number = self._numbers.get(peer or "", 0)
        timed_out = number in self._timed_out
        self._event(at, Kind.CLOSED, peer, reason=CloseReason.IDLE_TIMEOUT if timed_out else None, how="fin")

    def _dropped(self, at: float, peer: str | None, line: Mapping[str, Any]) -> None:
        self._accepted(at, peer, line)
        self._event(at, Kind.DROPPED, peer, reason="close")
        self._event(at, Kind.CLOSED, peer, reason=CloseReason.OVER_CAPACITY, how="fin")
