"""The link, in its own process, between real sockets of the test."""

import contextlib
import hashlib
import socket
import threading
from decimal import Decimal

import pytest

from econnlab.record.events import Kind
from econnlab.scenario.links import Delay, LinkSpec, parse_link
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, wait_until
from tests.support.raw import Raw

DIRECT = parse_link("0ms")
ZERO = Delay(Decimal(0), Decimal(0))


def constant(to_server_ms, to_client_ms):
    return LinkSpec(
        "custom", Delay(Decimal(to_server_ms), Decimal(0)), Delay(Decimal(to_client_ms), Decimal(0))
    )


def read_all(sock):
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def test_what_one_side_sends_reaches_the_other_and_back(start_link, scripted):
    link = start_link(DIRECT, scripted(echo))
    with Raw(link.address) as client:
        client.sock.sendall(b"hello")
        assert client.sock.recv(100) == b"hello"


@pytest.mark.parametrize(("to_server", "to_client"), [(0, 0), (60, 0), (0, 60), (30, 50)])
def test_each_direction_takes_its_own_time(start_link, scripted, to_server, to_client):
    arrived = []

    def serve(connection):
        connection.recv(100)
        arrived.append(now())
        connection.sendall(b"answer")

    link = start_link(constant(to_server, to_client), scripted(serve))
    with Raw(link.address) as client:
        sent = now()
        client.sock.sendall(b"question")
        assert client.sock.recv(100) == b"answer"
        answered = now()
    assert arrived[0] - sent >= to_server / 1000
    assert answered - arrived[0] >= to_client / 1000


def test_order_is_kept_whatever_the_jitter(start_link, scripted):
    received = []
    link = start_link(parse_link("2ms~2"), scripted(lambda connection: received.append(read_all(connection))))
    with Raw(link.address) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(300):
            client.sock.sendall(b"%d," % number)
        client.sock.shutdown(socket.SHUT_WR)
        wait_until(lambda: received, "the end of the input")
    assert received[0] == b"".join(b"%d," % number for number in range(300))


def test_many_megabytes_arrive_unharmed_both_ways(start_link, scripted):
    data = bytes(range(256)) * 40_000  # 10 MB
    link = start_link(parse_link("1ms~0.5"), scripted(echo))
    with Raw(link.address) as client:
        sender = threading.Thread(
            target=lambda: (client.sock.sendall(data), client.sock.shutdown(socket.SHUT_WR))
        )
        sender.start()
        back = read_all(client.sock)
        sender.join()
    assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()


def test_a_side_that_is_not_read_holds_up_the_other(start_link, scripted):
    """Back-pressure: what fits into kernel buffers and one queue goes, the rest waits at the sender."""
    release = threading.Event()
    link = start_link(DIRECT, scripted(lambda connection: (release.wait(DEADLINE_S), read_all(connection))))
    with Raw(link.address) as client:
        client.sock.settimeout(0.3)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 200_000_000:
                sent += client.sock.send(b"x" * 1_000_000)
        assert sent < 50_000_000
        release.set()
        client.sock.settimeout(DEADLINE_S)
        client.sock.sendall(b"x" * 10_000_000)


def test_a_half_close_is_passed_on_and_the_other_half_lives(start_link, scripted):
    def serve(connection):
        assert read_all(connection) == b"question"
        connection.sendall(b"answer")

    link = start_link(DIRECT, scripted(serve))
    with Raw(link.address) as client:
        client.sock.sendall(b"question")
        client.sock.shutdown(socket.SHUT_WR)
        assert read_all(client.sock) == b"answer"
    assert [event.side for event in link.wait_for(Kind.FIN, count=2)] == ["client", "server"]
    link.wait_for(Kind.CLOSED)
    assert not link.events(Kind.RST)


def test_a_servers_rst_is_an_rst_and_no_fin(start_link, scripted):
    link = start_link(DIRECT, scripted(lambda connection: (connection.recv(1), reset(connection))))
    with Raw(link.address) as client:
        client.sock.sendall(b"x")
        assert client.ending() == "rst"
    link.wait_for(Kind.CLOSED)
    assert [event.side for event in link.events(Kind.RST, Kind.FIN)] == ["server"]


def test_a_clients_rst_is_an_rst_and_no_fin(start_link, scripted):
    seen = []

    def serve(connection):
        try:
            seen.append(connection.recv(1))
        except ConnectionResetError:
            seen.append("rst")

    link = start_link(DIRECT, scripted(serve))
    client = Raw(link.address)
    link.wait_for(Kind.CONNECTED)
    client.reset()
    wait_until(lambda: seen, "the server's end")
    assert seen == ["rst"]


def test_bytes_before_an_rst_arrive_before_it(start_link, scripted):
    def serve(connection):
        connection.sendall(b"answer")
        reset(connection)

    link = start_link(constant(5, 5), scripted(serve))
    with Raw(link.address) as client:
        assert client.sock.recv(100) == b"answer"
        assert client.ending() == "rst"


def test_a_fin_and_the_rst_that_follows_are_both_passed_on(start_link, scripted):
    """The keep-alive race: the server has closed, the request crosses its FIN, the server's kernel resets."""
    closed = threading.Event()
    link = start_link(constant(0, 80), scripted(lambda connection: (connection.close(), closed.set())))
    with Raw(link.address) as client:
        link.wait_for(Kind.CONNECTED)
        assert closed.wait(DEADLINE_S)
        client.send()
        assert client.ending() == "fin"  # Linux: a FIN read first hides the RST from recv
    link.wait_for(Kind.CLOSED)
    assert [(event.kind, event.side) for event in link.events(Kind.BYTES, Kind.FIN, Kind.RST)][:3] == [
        (Kind.BYTES, "client"),
        (Kind.FIN, "server"),
        (Kind.RST, "server"),
    ]


def test_what_cannot_be_delivered_any_more_is_entered_as_such(start_link, scripted):
    link = start_link(constant(0, 100), scripted(reset))
    with Raw(link.address) as client:
        link.wait_for(Kind.CONNECTED)
        with contextlib.suppress(ConnectionError):
            while not link.events(Kind.UNDELIVERED):
                client.sock.sendall(b"x")
    assert link.events(Kind.UNDELIVERED)[0].side == "client"


def test_a_refusal_is_passed_on_and_so_is_its_end(start_link):
    upstream = socket.socket()
    upstream.bind(("127.0.0.1", 0))  # bound and not listening: refuses
    with upstream:
        link = start_link(DIRECT, upstream.getsockname())
        with Raw(link.address) as first:
            assert first.ending() == "rst"
        assert link.events(Kind.CONNECT_FAILED)[0].errno == "ECONNREFUSED"

        with pytest.raises(ConnectionRefusedError):
            Raw(link.address)

        upstream.listen()
        link.wait_for(Kind.LISTENING, count=2)
        with Raw(link.address) as client:
            client.sock.sendall(b"x")
            while True:  # the link looked first, with connections of its own
                served, _ = upstream.accept()
                with served:
                    if served.recv(1):
                        break


def test_the_ledgers_of_link_and_server_name_the_same_addresses(start_link, start_server):
    server = start_server()
    link = start_link(DIRECT, server.address)
    with Raw(link.address) as client:
        client.ask()
        local = client.local
    assert link.events(Kind.ACCEPTED)[0].peer == local
    assert link.events(Kind.CONNECTED)[0].local == server.events(Kind.ACCEPTED)[0].peer


def test_hundreds_of_connections_at_once(start_link, scripted):
    link = start_link(parse_link("1ms~1"), scripted(echo))
    clients = [socket.create_connection(link.address, timeout=DEADLINE_S) for _ in range(400)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    for number, client in enumerate(clients):
        assert client.recv(10) == b"%d" % number
        client.close()
    link.wait_for(Kind.CLOSED, count=400)


def reset(connection):
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_what_is_still_on_its_way_at_the_end_was_sent(start_link, scripted):
    link = start_link(constant(5000, 0), scripted(lambda connection: connection.recv(1)))
    with Raw(link.address) as client:
        client.sock.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nx-econnlab-request: 7-1\r\n\r\n")
        link.wait_for(Kind.ACCEPTED)
        link.child.sync()
        link.child.stop()
    (cut_off,) = [event for event in link.child.take_events() if event.kind == Kind.UNDELIVERED]
    assert (cut_off.reason, cut_off.side, cut_off.request_id) == ("stopped", "client", "7-1")
