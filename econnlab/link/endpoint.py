"""One end of a relayed connection, and what it sent that is still on its way."""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from econnlab.link.poller import READ, WRITE
from econnlab.record.events import Kind
from econnlab.scenario.places import Place
from econnlab.system.sockets import reset_on_close

#: While this many bytes are on their way in one direction, their sender is not read.
MOST_IN_FLIGHT = 1 << 20

#: A proxy in front may change the case of the header's name (HAProxy writes lower case).
_REQUEST_ID = re.compile(rb"\r\nx-econnlab-request: *([!-~]{1,64})\r\n", re.IGNORECASE)

Address = tuple[str, int]


@dataclass(slots=True)
class Item:
    """Bytes, a FIN or an RST on its way."""

    due: float
    kind: Kind
    began: float
    size: int
    rest: memoryview
    #: The lab's name of the request that begins in these bytes, if they contain it.
    request_id: str | None


@dataclass(slots=True, eq=False)
class Endpoint:
    """The client's or the server's socket. ``delay`` draws, in seconds, the delay of what it sends next."""

    name: str
    sock: socket.socket
    delay: Callable[[], float] = lambda: 0.0
    queue: deque[Item] = field(default_factory=deque)
    in_flight: int = 0
    most_in_flight: int = MOST_IN_FLIGHT
    #: What it sends skips the queue if the queue is empty.
    direct: bool = False
    #: Bytes from it that the other end's kernel has accepted.
    passed: int = 0
    last_due: float = 0.0
    #: Its FIN or RST has been read: it sends nothing more.
    input_ended: bool = False
    #: The other end's FIN has been passed on to it.
    output_ended: bool = False
    #: It has reset the connection, or has been reset: nothing can be passed on to it.
    gone: bool = False
    #: Its kernel did not accept all that was due: wait until it is writable.
    blocked: bool = False
    #: When its kernel began to accept bytes, or accepted them again: before that, nothing to it is late.
    ready_at: float = 0.0
    #: The mask that the poller waits for, or None.
    watched: int | None = None

    @property
    def mask(self) -> int:
        """What to wait for on its socket."""
        reading = not self.input_ended and self.in_flight < self.most_in_flight
        return (READ if reading else 0) | (WRITE if self.blocked else 0)

    def send_at_once(self, data: memoryview) -> int:
        """How much of ``data`` its kernel accepts now."""
        try:
            sent = self.sock.send(data)
            self.blocked = sent < len(data)
            return sent
        except (BlockingIOError, InterruptedError):
            self.blocked = True
        except OSError:  # its RST has arrived: the next send reports it again (EPIPE)
            self.blocked = False
        return 0

    def reset(self) -> None:
        """Send an RST to it."""
        self.gone = self.input_ended = True
        reset_on_close(self.sock)
        self.sock.close()

    @property
    def silent(self) -> bool:
        """Nothing more will come from it."""
        return self.input_ended and not self.queue

    @property
    def finished(self) -> bool:
        """Nothing more will come from it or go to it."""
        return not self.queue and (self.gone or (self.input_ended and self.output_ended))


class Upstreams:
    """The addresses of one server in the order in which to try them."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.order: list[Address] = [(place.host, place.port) for place in places]

    def prefer(self, answered: Address) -> None:
        """Try this address first from now on."""
        if answered != self.order[0]:
            self.order = [answered, *(each for each in self.order if each != answered)]

    def rotate(self) -> Address:
        """Move the first address to the end. Returns the new first one."""
        self.order = [*self.order[1:], self.order[0]]
        return self.order[0]


def request_in(data: bytes) -> str | None:
    """The lab's name of a request in ``data``; None without one, as always with TLS."""
    found = _REQUEST_ID.search(data)
    return found[1].decode("ascii") if found is not None else None


def socket_for(where: Address) -> socket.socket:
    """A socket of the family of ``where``."""
    return socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, socket.SOCK_STREAM)


def prepared(sock: socket.socket) -> socket.socket:
    """``sock`` for relaying: not blocking, and without Nagle's algorithm."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
