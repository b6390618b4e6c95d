"""Healthy sessions of real programs, captured on loopback: what a diagnosis must not find a loss in.

A kind whose programs are not installed is left out. ``ECONNLAB_SESSIONS_PYTHON`` names an interpreter with
packages that the lab does not need: websockets, pymysql, redis, pg8000, pyftpdlib, aiosmtpd, asyncssh.
"""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support import session_clients as clients
from tests.support import session_servers as servers

PYTHON = os.environ.get("ECONNLAB_SESSIONS_PYTHON", sys.executable)
DEADLINE_S = 60

#: By name: what starts the server (ports and folder in, words out), and what its client runs.
KINDS = {
    "nginx, kept alive": (servers.nginx, clients.KEPT_ALIVE),
    "nginx, closed each time": (servers.nginx, clients.CLOSED),
    "nginx, pipelined": (servers.nginx, clients.PIPELINED),
    "nginx, HEAD and 304": (servers.nginx, clients.HEAD_304),
    "uploads with 100 Continue": (servers.python_http, clients.CONTINUE),
    "HTTP/1.0 until the end": (servers.python_http10, clients.CLOSED),
    "chunked": (servers.python_chunked, clients.KEPT_ALIVE),
    "node to node": (servers.node, clients.NODE),
    "HAProxy before nginx": (servers.haproxy, clients.KEPT_ALIVE),
    "uvicorn": (servers.uvicorn, clients.KEPT_ALIVE),
    "gunicorn": (servers.gunicorn, clients.CLOSED),
    "TLS 1.2": (servers.nginx_tls12, clients.TLS),
    "TLS 1.3": (servers.nginx_tls13, clients.TLS),
    "TLS 1.3, closed each time": (servers.nginx_tls13, clients.TLS_CLOSED),
    "HTTP/2 over TLS": (servers.nginx_tls13, clients.CURL_H2),
    "HTTP/2 in the clear, node": (servers.node_h2c, clients.NODE_H2C),
    "HTTP/2 in the clear, nghttpd": (servers.nghttpd, clients.H2LOAD),
    "WebSocket": (servers.websocket, clients.WEBSOCKET),
    "Postgres": (servers.postgres, clients.POSTGRES),
    "MySQL": (servers.mysql, clients.MYSQL),
    "Redis": (servers.redis, clients.REDIS),
    "SMTP": (servers.smtp, clients.SMTP),
    "FTP": (servers.ftp, clients.FTP),
    "SSH": (servers.sshd, clients.SSH),
}  # fmt: skip


class Missing(Exception):
    """A program or package of the kind is not installed."""


class Recorder(threading.Thread):
    """Writes what passes the loopback device, between any ports but those of other programs, into memory."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.frames, self._ports, self._done = [], ports, threading.Event()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind(("lo", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        self._socket.settimeout(0.1)

    def run(self):
        while True:
            try:
                data, address = self._socket.recvfrom(1 << 18)
            except TimeoutError:
                if self._done.is_set():
                    return
                continue
            outgoing = address[2] == socket.PACKET_OUTGOING  # on loopback each packet comes twice
            if outgoing or len(data) < 54 or data[12:14] != b"\x08\x00" or data[23] != 6:
                continue
            if not self._ports.isdisjoint(struct.unpack_from("!HH", data, 34)):
                self.frames.append((time.time_ns(), data))

    def stop(self):
        self._done.set()
        self.join()
        self._socket.close()
        return self.frames


def record(kind, folder, rounds=10):
    """The frames of one kind of session: (time in ns, bytes). Raises Missing."""
    start, client = KINDS[kind]
    folder = Path(folder)
    ports = servers.Ports()
    words, ready = start(folder, ports)
    env = {**os.environ, "PORT": str(ports.first), "ROUNDS": str(rounds), "FOLDER": str(folder)}
    with contextlib.ExitStack() as stack:
        for each in words:
            stack.enter_context(running(each, folder))
        wait_for(ready)
        recorder = Recorder(ports.all)
        recorder.start()
        try:
            run_client(client, folder, env)
            time.sleep(0.3)  # the last packets pass
        finally:
            frames = recorder.stop()
    return frames


def run_client(client, folder, env):
    """Run the client's program to its end."""
    language, text = client
    if language == "node":
        program = needed("node")
        (folder / "client.cjs").write_text(text)
        words = [program, str(folder / "client.cjs")]
    elif language == "sh":
        words = ["sh", "-ec", text]
        needed(text.split()[-1].strip("#"))
    else:
        words = [PYTHON, "-c", text]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=DEADLINE_S, cwd=folder)
    if "ModuleNotFoundError" in done.stderr:
        raise Missing(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def running(words, folder):
    """A server process, ended with its group."""
    needed(words[0])
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def needed(program):
    """The path of ``program``. Raises Missing."""
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Missing(f"{program} is not installed")
    return path


def wait_for(port):
    """Until something listens there."""
    deadline = time.monotonic() + DEADLINE_S / 2
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise Missing(f"nothing listened on port {port}")
