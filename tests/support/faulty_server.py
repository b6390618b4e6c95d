"""A server that does what the path says: ``python faulty_server.py PORT [CERT KEY]``."""

import socket
import ssl
import struct
import sys
import threading
import time

HEAD = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n"
standing = threading.Semaphore(3)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def head_of(sock):
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(65536)
        if not more:
            return b""
        head += more
    return head


def bare(sock):
    """The TCP socket below, so that no close_notify goes out."""
    return socket.socket(fileno=sock.detach()) if isinstance(sock, ssl.SSLSocket) else sock


def serve(sock):
    while True:
        head = head_of(sock)
        if not head:
            sock.close()
            return
        path = head.split()[1].decode()
        if path == "/fin":
            time.sleep(0.15)
            bare(sock).close()
            return
        if path == "/rst":
            time.sleep(0.15)
            reset(bare(sock))
            return
        if path == "/cut":
            sock.sendall(HEAD % (200, 5000) + b"c" * 2000)
            time.sleep(0.15)
            bare(sock).close()
            return
        if path == "/cutrst":
            sock.sendall(HEAD % (200, 5000) + b"c" * 2000)
            time.sleep(0.02)
            reset(bare(sock))
            return
        if path == "/slow":
            time.sleep(3)
        if path == "/early":
            sock.sendall(HEAD % (413, 0))
            time.sleep(0.05)
            reset(bare(sock))
            return
        if path == "/503":
            sock.sendall(HEAD % (503, 2) + b"no")
            continue
        sock.sendall(HEAD % (200, 2) + b"ok")
        if path == "/idle":
            time.sleep(0.4)
            bare(sock).close()
            return


def accepted(sock, context):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        serve(context.wrap_socket(sock, server_side=True) if context else sock)
    except (OSError, ValueError):
        sock.close()


def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[2:4])
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=200)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=accepted, args=(sock, context), daemon=True).start()


main()
