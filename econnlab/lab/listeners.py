"""Ports to listen on, and the address of the user's server."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass
from typing import cast

from econnlab.errors import EnvironmentProblem, NothingListens
from econnlab.scenario.places import parse_url
from econnlab.system.sockets import address

SocketAddress = tuple[str, int] | tuple[str, int, int, int]

#: Seconds that the check whether a server is there may take.
LOOK_S = 5.0


@dataclass(frozen=True)
class Answering:
    """The user's server: its URL, and the address that answered."""

    url: str
    host: str
    port: int


def bind(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket bound to ``host`` and ``port`` (0: any free one) that does not listen yet.

    ``option`` is the user's option for the port. Raises EnvironmentProblem if the port is taken or the
    address is not this machine's.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise _cannot_bind(host, port, option, error) from error
    return sock


def _cannot_bind(host: str, port: int, option: str, error: OSError) -> EnvironmentProblem:
    if error.errno == errno.EADDRINUSE:
        return EnvironmentProblem(
            f"Port {port} on {host} is taken.",
            f"Choose another with {option}, or {option} 0 for any free one.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EnvironmentProblem(
            f"Port {port} needs privileges this user does not have.", f"Choose one above 1023, or {option} 0."
        )
    return EnvironmentProblem(
        f"Cannot listen on {host}: {error.strerror}.",
        "Give an address of this machine, as 127.0.0.1 or 0.0.0.0.",
    )


def find_target(url: str) -> Answering:
    """The address behind ``url`` that accepts a connection.

    One connection is opened without a request, and the server has closed it when this returns, so that it
    does not count against the server's limit during the run.

    Raises NothingListens if the server refuses, EnvironmentProblem if it cannot be reached.
    """
    _, host, port = parse_url(url)
    failure: OSError | None = None
    for family, where in resolve(host, port):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(LOOK_S)
            try:
                sock.connect(where)
            except OSError as error:
                failure = failure or error
                continue
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(1.0)
                while sock.recv(4096):
                    pass
            return Answering(url, str(where[0]), int(where[1]))
    raise unreachable(url, address((host, port)), failure)


def resolve(host: str, port: int) -> list[tuple[int, SocketAddress]]:
    """The families and addresses of ``host``, in the system's order. Raises EnvironmentProblem."""
    try:
        candidates = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise EnvironmentProblem(f"{host!r} cannot be resolved: {said}.", "Check the name.") from error
    return [(int(family), cast(SocketAddress, where)) for family, _, _, _, where in candidates]


def unreachable(url: str, where: str, failure: OSError | None) -> EnvironmentProblem:
    """The error for an address that accepts no connection."""
    if isinstance(failure, ConnectionRefusedError):
        return NothingListens(
            f"Nothing listens at {where}: the connection was refused.",
            f"Start the server, or check the port in {url}.",
        )
    said = "no answer" if isinstance(failure, TimeoutError) else failure.strerror if failure else "no address"
    return EnvironmentProblem(
        f"{where} cannot be reached: {said}.", "Check the host, and the network between."
    )
