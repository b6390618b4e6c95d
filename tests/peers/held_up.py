"""A configuration of gunicorn that lets its gthread worker bear witness: what it closed upon, unread.

The worker looks for requests, and then closes what its clock says is over time (``ThreadWorker.run``: select,
``murder_keepalived``) without another look. Where it is held up in between, by a busy machine, a request that
came in time is among what it closes upon, however short the silence before it was.

For each, one line is written to the file named in ``HELD_UP``: how long it had been there, in ms, by the
kernel's own stamp (SO_TIMESTAMPNS, as in econnlab/commands/probe/asking/arrivals.py).
"""

import os
import signal
import socket
import struct
import time

from gunicorn.workers.gthread import ThreadWorker

SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@ll")
#: A file that is there holds the worker up when it keeps so many connections: it stops between the two looks,
#: and names the process that is to be continued.
HELD_UP_WITH = 2
ORDER = os.environ["HELD_UP"] + ".order"
#: The kernel begins to stamp some milliseconds after the first socket wants it (net_enable_timestamp).
wanted = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wanted.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

finish_request, murder_keepalived = ThreadWorker.finish_request, ThreadWorker.murder_keepalived


def stamped(self, conn, fs):
    """From its first response on the kernel stamps what comes on a connection."""
    if conn.sock.fileno() >= 0:
        conn.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    finish_request(self, conn, fs)


def telling(self, force=False):
    """Look at what is about to be closed."""
    if len(self.keepalived_conns) >= HELD_UP_WITH and os.path.exists(ORDER):
        with open(ORDER, "w") as file:
            file.write(f"{self.pid}\n")
        os.kill(self.pid, signal.SIGSTOP)
        os.unlink(ORDER)
    at = time.monotonic()
    for conn in self.keepalived_conns:
        if conn.timeout <= at or force:
            waited_ms = waiting(conn.sock)
            if waited_ms is not None:
                with open(os.environ["HELD_UP"], "a") as file:
                    file.write(f"{waited_ms:.3f}\n")
    murder_keepalived(self, force)


def waiting(sock):
    """For how long a request has been there unread, ms; None where there is none."""
    try:
        data, ancillary, _, _ = sock.recvmsg(1, socket.CMSG_SPACE(TIMESPEC.size), socket.MSG_PEEK)
    except OSError:
        return None
    if not data:
        return None
    for level, kind, stamp in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(stamp)
            return (time.time_ns() - seconds * 10**9 - nanoseconds) / 1e6
    return 0.0


ThreadWorker.finish_request, ThreadWorker.murder_keepalived = stamped, telling
