"""Clients that pipeline, do not read, leave at a bad moment or smuggle: an exception would end the server."""

import select
import socket
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from econnlab.record.events import CloseReason, Kind
from tests.conftest import wait_until
from tests.support.raw import Raw

LONG = {"keepalive_timeout_ms": Decimal(60_000)}
GET = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
#: What the kernel's buffers of both ends may hold at most (net.ipv4.tcp_rmem and tcp_wmem), and some more.
MOST_IN_KERNELS = 64 << 20


def answers(client, count):
    """Read until ``count`` responses have come."""
    left, seen = b"", 0
    while seen < count:
        data = client.sock.recv(1 << 16)
        assert data, f"the connection ended after {seen} of {count} responses"
        left += data
        seen += left.count(b"HTTP/1.1 200")
        left = left[-11:] if not left.endswith(b"HTTP/1.1 200") else b""
    return seen


def memory_of(pid):
    """Bytes of the process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("count", [200, 2000])
@pytest.mark.parametrize("last", [b"", b"GET / HTT"])
def test_pipelined_requests_in_one_packet_are_all_answered(start_server, count, last):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.sock.sendall(GET * count + last)
        assert answers(client, count) == count
        if last:
            client.sock.sendall(GET[len(last) :])
            assert answers(client, 1) == 1
    assert len(server.events(Kind.RESPONSE)) == count + bool(last)


def test_pipelined_requests_before_a_half_close_are_all_answered(start_server):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.sock.sendall(GET * 500)
        client.sock.shutdown(socket.SHUT_WR)
        assert answers(client, 500) == 500
        assert client.ending() == "fin"
    assert server.wait_for(Kind.CLOSED)[0].close_reason is CloseReason.CLIENT_CLOSED


def test_pipelined_requests_of_one_client_do_not_hold_up_another(start_server):
    """In one of ten rounds at least the other's request comes while the many are being answered."""
    server = start_server(**LONG)
    for round_ in range(10):
        with Raw(server.address) as busy, Raw(server.address) as other:
            busy.sock.sendall(GET * 1500)
            other.send()
            assert other.response()[0].status_code == 200
            assert answers(busy, 1500) == 1500
        order = [event.connection for event in server.events(Kind.RESPONSE)][round_ * 1501 :]
        if order[-1] == order[0]:
            return
    raise AssertionError("the other was answered first or last each time")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("size", [3, 100_000])
def test_a_client_that_pipelines_and_does_not_read_has_to_wait(start_server, size):
    server = start_server(**LONG, response_size=size)
    before = memory_of(server.child.pid)
    with Raw(server.address) as client:
        client.sock.setblocking(False)
        sent = 0
        while select.select([], [client.sock], [], 1.0)[1]:
            sent += client.sock.send(GET * 2000)
            assert sent < MOST_IN_KERNELS
        assert memory_of(server.child.pid) - before < 16 << 20
        client.sock.setblocking(True)
        assert answers(client, 20) >= 20
    with Raw(server.address) as client:
        assert client.ask()[0] == 200


@pytest.mark.parametrize("lingering", [True, False])
def test_a_client_that_resets_while_it_is_told_413_is_forgotten(start_server, lingering):
    """shutdown(2) then says ENOTCONN."""
    server = start_server(**LONG, max_body=10, lingering_close=lingering)
    for pause in (0.0, 0.0, 0.001, 0.002, 0.005) * 8:
        client = Raw(server.address)
        client.send("POST", "Content-Length: 1000")
        time.sleep(pause)  # to reach the server's different states, not to wait for one
        client.reset()
    closed = server.wait_for(Kind.CLOSED, count=40)
    assert {event.close_reason for event in closed} <= {CloseReason.EARLY_RESPONSE, CloseReason.CLIENT_RESET}
    with Raw(server.address) as client:
        assert client.ask()[0] == 200


@pytest.mark.parametrize("header", ["Expect: 100-continue", "X: y"])
def test_a_client_that_resets_behind_its_request_is_forgotten(start_server, header):
    server = start_server(**LONG, response_size=200_000, busy_for_ms=Decimal(5), busy_every_ms=Decimal(10))
    for _ in range(40):
        client = Raw(server.address)
        client.send("POST", header, "Content-Length: 4")
        client.sock.sendall(b"1234")
        client.reset()
    server.wait_for(Kind.CLOSED, count=40)
    assert server.child.alive
    wait_until(lambda: len(server.events(Kind.ACCEPTED)) == 40, "every connection")


def test_content_length_beside_chunks_is_answered_and_the_connection_closed(start_server):
    """RFC 9112 section 6.1: it may be smuggling, and whatever follows is not taken for a request."""
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.send("POST", "Content-Length: 3", "Transfer-Encoding: chunked")
        client.sock.sendall(b"0\r\n\r\n" + GET)
        response, _ = client.response()
        assert response.status_code == 200
        assert (b"connection", b"close") in list(response.headers)
        assert client.ending() in ("fin", "rst")
    assert server.wait_for(Kind.CLOSED)[0].close_reason is CloseReason.CONNECTION_CLOSE
    assert len(server.events(Kind.REQUEST)) == 1
