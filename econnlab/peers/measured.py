"""Default idle timeouts of server peers as measured on this machine, kept beside the peers."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from econnlab.peers.store import home
from econnlab.scenario.codec import decode
from econnlab.scenario.server import ServerSpec
from econnlab.system.clock import now

#: A server that keeps an idle connection for longer is not waited for.
LONGEST_S = 130.0
_FILE = "measured.json"
_REQUEST = b"GET / HTTP/1.1\r\nHost: econnlab\r\n\r\n"
_ANSWER_S = 10.0


@dataclass(frozen=True)
class Measured:
    """How long a version kept an idle connection by default, in seconds; None: longer than LONGEST_S."""

    version: str
    seconds: float | None
    date: str


def measured() -> dict[str, Measured]:
    """By the peer's name, what was measured last."""
    try:
        kept = json.loads((home() / _FILE).read_text(encoding="utf-8"))
        return {name: decode(Measured, entry) for name, entry in kept.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def keep(name: str, found: Measured) -> None:
    """Remember ``found``; the file is replaced whole."""
    everything = {**measured(), name: found}
    home().mkdir(parents=True, exist_ok=True)
    part = home() / f".{_FILE}-{os.getpid()}"
    part.write_text(json.dumps({each: asdict(one) for each, one in everything.items()}, indent=1), "utf-8")
    part.rename(home() / _FILE)


def idle_seconds(port: int, stop: Iterator[bool]) -> float | None:
    """How long the server on 127.0.0.1 ``port`` keeps a connection after a response; None: longer than asked.

    ``stop`` is asked now and then, and ends the wait when it says True. Raises OSError.
    """
    with socket.create_connection(("127.0.0.1", port), _ANSWER_S) as connection:
        connection.sendall(_REQUEST)
        answer = connection.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        answered = now()
        connection.settimeout(0.2)
        while now() - answered < LONGEST_S and not next(stop, False):
            with contextlib.suppress(TimeoutError):
                if not connection.recv(65536):
                    return now() - answered
                answered = now()  # the rest of the response
    return None


def default_spec(name: str) -> ServerSpec:
    """The peer ``name`` as it comes."""
    return ServerSpec(peer=name)


def today() -> str:
    """The date, for the file."""
    return datetime.date.today().isoformat()
