"""Meets each fault: ``python faulty_client.py PORT CLOSED_PORT ROUNDS tls|plain``; a JSON line for each.

The line has the client's port, the causes that packets may name, and the time. It uses sockets, so that it
never looks before it writes, and each fault is met.
"""

import contextlib
import json
import socket
import ssl
import sys
import time

port, closed, rounds, tls = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "tls"
HAD_IT = ["reset_after_processing", "unread_data", "request_abandoned"]


def connect(version=None, trust=False):
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return sock
    context = ssl.create_default_context() if trust else ssl._create_unverified_context()
    context.set_alpn_protocols(["http/1.1"])
    if version:
        context.maximum_version = version
    return context.wrap_socket(sock, server_hostname="localhost")


def ask(sock, path, body=b"", size=0):
    length = f"Content-Length: {size or len(body)}\r\n" if body or size else ""
    method = "POST" if length else "GET"
    sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode() + body)


def answer(sock):
    with contextlib.suppress(OSError, ValueError):
        return sock.recv(65536)
    return b""


def met(sock, causes):
    print(json.dumps([sock.getsockname()[1], causes, time.time()]), flush=True)


def fault(path, causes, version=None, reused=False, **more):
    sock = connect(version)
    met(sock, causes)
    if reused:
        ask(sock, "/ok")
        answer(sock)
        time.sleep(0.02)
    ask(sock, path, **more)
    if path == "/slow":
        sock.settimeout(0.5)
    while answer(sock):
        pass
    sock.close()


def race(version=None):
    sock = connect(version)
    met(sock, ["keepalive_race", "close_after_response"])
    ask(sock, "/idle")
    answer(sock)
    time.sleep(0.45)
    with contextlib.suppress(OSError):
        ask(sock, "/late")
    answer(sock)
    with contextlib.suppress(OSError):
        sock.close()


def refused():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    met(sock, ["not_listening"])
    sock.connect_ex(("127.0.0.1", closed))
    sock.close()


def untrusted():
    with contextlib.suppress(ssl.SSLError):
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        met(sock, ["tls_untrusted"])
        ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")


for n in range(rounds):
    version = [None, ssl.TLSVersion.TLSv1_2][n % 2] if tls else None
    fault("/fin", HAD_IT, version)
    fault("/rst", HAD_IT, version, reused=True)
    fault("/fin", HAD_IT, version, reused=True, body=b"b" * 3000)
    fault("/cutrst", ["response_cut"], version)
    fault("/slow", ["slow_response"], version)
    race(version)
    refused()
    if tls:
        untrusted()
        fault("/cut", ["response_cut"], version)
    else:
        fault("/cut", ["response_cut"], version)
        fault("/cut", ["response_cut"], version, reused=True)
        fault("/503", ["error_response"], version)
        fault("/early", ["early_response"], body=b"e" * 1000, size=100_000)
