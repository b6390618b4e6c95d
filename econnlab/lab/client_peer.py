"""The sessions of a run in the process of a real client: started, told what to send, heard."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from econnlab.client.session import body_of
from econnlab.discovery import parts
from econnlab.errors import EconnlabError, UsageProblem, did_you_mean
from econnlab.lab.dispatcher import Finished
from econnlab.lab.freezing import Freezer
from econnlab.peers.command import Command
from econnlab.peers.named import PeerName, parse_peer
from econnlab.peers.pipes import TalkingPeer
from econnlab.peers.told import Hearing
from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.client import NO_RETRY, ClientSpec
from econnlab.scenario.durations import seconds

KINDS = "econnlab.client.kinds"
CLIENTS = "econnlab.peers.clients"
PROTOCOL = 1
#: A client is ready within this many seconds.
READY_S = 30.0


@dataclass(frozen=True)
class PeerSession:
    """One session on the schedule; see econnlab.lab.dispatcher.Runner."""

    session: int
    row: int
    interval_ms: float
    requests: int
    start_s: float


@dataclass(frozen=True)
class FoundClient:
    """A client peer: its name, its command, and the outcomes that its words mean."""

    name: str
    command: Command
    words: Mapping[str, Outcome]

    @property
    def version(self) -> str:
        """``axios 0.22.0 on node 14.18.0``."""
        return " on ".join(
            filter(None, (f"{self.name} {self.command.version}".strip(), self.command.runtime))
        )


def find_client(spec: ClientSpec) -> FoundClient:
    """The client that ``spec`` names. Raises UsageProblem for a name or a policy that there is not."""
    if "/" in spec.kind:
        return FoundClient(spec.kind, Command((spec.kind,), ""), {})
    name = parse_peer(spec.kind)
    module = parts(CLIENTS).get(name.kind)
    if module is None:
        known = sorted({*parts(KINDS), *parts(CLIENTS)})
        raise UsageProblem(f"client.kind: there is no {name.kind!r}.", did_you_mean(name.kind, known))
    retry = _retry(spec, name, module)
    return FoundClient(name.kind, module.command(name, retry), module.WORDS)


def _retry(spec: ClientSpec, name: PeerName, module: ModuleType) -> PeerName | None:
    if spec.policy == NO_RETRY:
        return None
    # The lab's models bear the version in their names: axios-retry-3 is the newest 3 of that library itself.
    retry = parse_peer(re.sub(r"^axios-retry-(\d)$", r"axios-retry@\1", spec.policy))
    if retry.kind not in module.RETRIES:
        can = (
            f"It runs with {', '.join(module.RETRIES)}."
            if module.RETRIES
            else "It has none: leave out --retry."
        )
        raise UsageProblem(f"{name.kind} does not run with the retries of {retry.kind}.", can)
    return retry


class PeerClients:
    """Does what a Dispatcher does, in another process. Results come out of ``finished``."""

    def __init__(
        self, spec: ClientSpec, url: str, sessions: Sequence[PeerSession], trusted: str | None
    ) -> None:
        self.finished: queue.SimpleQueue[Finished | None] = queue.SimpleQueue()
        self._found = find_client(spec)
        self.version = self._found.version
        rows = {session.session: session.row for session in sessions}
        self._hearing = Hearing(spec.method, rows, self._found.words)
        self._attempts: dict[str, list[Attempt]] = {}
        #: Sessions whose first request has not ended.
        self._first_left = len(sessions)
        self._freezer = Freezer(seconds(spec.frozen_ms)) if spec.frozen_ms else None
        self._ready = threading.Event()
        self._stopping = self._done = False
        self._peer = TalkingPeer(f"The client {spec.kind}", self._found.command, self._hear)
        self._peer.say(_plan(spec, url, sessions, trusted))

    def wait_until_ready(self) -> None:
        """Raises EnvironmentProblem if it ends or is too slow."""
        if not self._ready.wait(READY_S) or self._peer.ended():
            raise self._peer.not_started()

    def start(self, begin: float) -> None:
        """Start at ``begin`` on the monotonic clock."""
        self._peer.say({"type": "go", "at": begin})

    def stop(self) -> None:
        """End the process, and with it every connection."""
        self._stopping = True
        if self._freezer is not None:
            self._freezer.close()
        self._peer.stop()

    def take_events(self) -> list[ConnectionEvent]:
        """When its process was stopped, since the last call."""
        return [] if self._freezer is None else self._freezer.take_events()

    def _hear(self, line: Mapping[str, Any] | None) -> None:
        """Called from the peer's reading thread."""
        kind = None if line is None else line.get("type")
        if line is None:
            self._ready.set()
            if not self._stopping and not self._done:
                self._peer.ended(1.0)
                self.finished.put(Finished(None, self._peer.death()))
        elif kind == "ready":
            self._ready.set()
        elif kind == "attempt":
            self._take(line)
        elif kind == "done":
            self._done = True
            self.finished.put(None)

    def _take(self, line: Mapping[str, Any]) -> None:
        try:
            attempt, last = self._hearing.attempt(line)
        except (EconnlabError, KeyError, TypeError) as error:
            problem = UsageProblem(
                f"{self._peer.name} broke the protocol: {error}", "See docs/client-protocol.md."
            )
            self.finished.put(Finished(None, problem))
            return
        attempts = self._attempts.setdefault(attempt.request_id, [])
        attempts.append(attempt)
        if last:
            if attempt.request == 1:
                self._one_first_ended()
            self.finished.put(Finished(Request(tuple(self._attempts.pop(attempt.request_id)))))

    def _one_first_ended(self) -> None:
        self._first_left -= 1
        group = self._peer.group() if self._freezer is not None and not self._first_left else None
        if self._freezer is not None and group is not None:
            self._freezer.freeze(group)


def _plan(spec: ClientSpec, url: str, sessions: Sequence[PeerSession], trusted: str | None) -> dict[str, Any]:
    body = body_of(spec)
    return {
        "type": "plan",
        "version": PROTOCOL,
        "url": url,
        "method": spec.method,
        "headers": {"Connection": "close"} if spec.connection_close else {},
        "body_size": len(body) if body else 0,
        "timeout_ms": float(spec.timeout_ms),
        "retry": None if spec.policy == NO_RETRY else spec.policy,
        "retries": spec.retries,
        "idempotency_key": spec.idempotency_key,
        "trusted": trusted,
        "sessions": [vars(session) for session in sessions],
    }
