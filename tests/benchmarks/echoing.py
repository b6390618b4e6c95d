"""A server for measuring what stands in front of it; the first byte of a connection says what it does.

``e``: it sends everything back. ``s``: it reads to the end, and then says how many bytes that were.
Run as a process: it prints its port, and ends when stdin does.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator

from econnlab.lab.limits import raise_descriptors

_BUFFER = memoryview(bytearray(1 << 20))


@contextlib.contextmanager
def echoing() -> Iterator[int]:
    """Such a process; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.echoing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


class _Connection:
    """What one connection asked for, and how much has come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.task = b""
        self.read = 0

    def on_readable(self) -> bool:
        """Whether it goes on."""
        size = self.sock.recv_into(_BUFFER)
        self.task = self.task or bytes(_BUFFER[:1])
        self.read += size
        if self.task == b"e":
            self.sock.sendall(_BUFFER[:size])
        elif not size:
            self.sock.sendall(b"%d" % self.read)
        return size > 0


def main() -> None:
    """Serve until stdin ends."""
    raise_descriptors()
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    sock, _ = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(sock, selectors.EVENT_READ, _Connection(sock))
                elif key.data is None:
                    return
                else:
                    try:
                        goes_on = key.data.on_readable()
                    except OSError:
                        goes_on = False
                    if not goes_on:
                        selector.unregister(key.fileobj)
                        key.data.sock.close()


if __name__ == "__main__":
    main()
