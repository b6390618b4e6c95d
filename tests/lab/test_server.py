"""The lab server, asked over real sockets, in its own process."""

import socket
import subprocess
from decimal import Decimal
from itertools import pairwise

import pytest

from econnlab.record.events import Kind
from tests.conftest import children_of, is_running, until, wait_until
from tests.support import warm
from tests.support.raw import Raw

SHORT = {"keepalive_timeout_ms": Decimal(100)}
LONG = {"keepalive_timeout_ms": Decimal(60_000)}


# -- answering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_it_answers_every_method_with_and_without_a_body(start_server, method):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        for body in (b"", b"x" * 100_000):
            assert client.ask(method, body=body)[::2] == (200, b"ok\n")
    assert [event.bytes for event in server.events(Kind.REQUEST)] == [0, 100_000]


def test_head_has_the_headers_of_get_and_no_body(start_server):
    with Raw(start_server(**LONG).address) as client:
        status, headers, body = client.ask("HEAD")
        assert (status, headers["content-length"], body) == (200, "3", b"")
        assert client.ask("GET")[2] == b"ok\n"


def test_another_method_is_refused_and_the_connection_lives(start_server):
    with Raw(start_server(**LONG).address) as client:
        status, headers, _ = client.ask("PROPFIND")
        assert (status, headers["allow"]) == (405, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        assert client.ask()[0] == 200


def test_an_error_is_answered_as_often_as_asked_for_and_nothing_is_carried_out(start_server):
    server = start_server(**LONG, status=503, status_requests=2, retry_after_ms=Decimal(1500))
    with Raw(server.address) as first, Raw(server.address) as second:
        for client in (first, second):
            status, headers, body = client.ask("POST", body=b"order")
            assert (status, headers["retry-after"], body) == (503, "2", b"not now\n")
        status, headers, _ = first.ask()
        assert (status, "retry-after" in headers) == (200, False)
    assert len(server.events(Kind.REQUEST)) == 3
    assert len(server.events(Kind.PROCESSED)) == 1


def test_an_error_without_a_name_is_answered_every_time(start_server):
    with Raw(start_server(**LONG, status=522).address) as client:
        for _ in range(3):
            status, headers, _ = client.ask()
            assert (status, "retry-after" in headers) == (522, False)


def test_a_chunked_body_and_an_expectation_are_understood(start_server):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.send("POST", "Transfer-Encoding: chunked", "Expect: 100-continue")
        assert client.sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sock.sendall(b"5\r\nhello\r\n0\r\n\r\n")
        assert client.response()[0].status_code == 200
    assert server.events(Kind.REQUEST)[0].bytes == 5


def test_pipelined_requests_are_answered_in_order(start_server):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        for number in (1, 2, 3):
            client.send("GET", f"X-Econnlab-Request: {number}")
        for _ in range(3):
            assert client.response()[1] == b"ok\n"
    assert [event.request_id for event in server.events(Kind.RESPONSE)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (["Idempotency-Key: k", "X-Request-Id: r"], "k"),
        (["x-request-id: r", "X-IDEMPOTENCY-KEY: k"], "k"),
        (["X-Request-Id: r", "X-Econnlab-Request: 1-1"], "1-1"),
        (["X-Request-Id: r"], "r"),
        (["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], None),
    ],
)
def test_a_request_is_known_by_what_its_client_calls_it(start_server, headers, name):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.ask("POST", *headers, body=b"order")
    events = server.events(Kind.REQUEST, Kind.PROCESSED, Kind.RESPONSE)
    assert [event.request_id for event in events] == [name] * 3


def test_the_ledger_tells_target_and_body_apart(start_server):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        for body in (b"a", b"b", b"a", b""):
            client.ask("POST", body=body)
        client.send("POST", "Transfer-Encoding: chunked")
        client.sock.sendall(b"1\r\na\r\n0\r\n\r\n")
        client.response()
    requests = server.events(Kind.REQUEST)
    assert {event.target for event in requests} == {"/"}
    a, b, again, none, chunked = (event.digest for event in requests)
    assert a == again == chunked != b
    assert none is None


def test_a_request_may_come_byte_by_byte(start_server):
    with Raw(start_server(**LONG).address) as client:
        for byte in b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n":
            client.sock.sendall(bytes([byte]))
        assert client.response()[0].status_code == 200


@pytest.mark.parametrize(("version", "header"), [("1.0", "X: y"), ("1.1", "Connection: close")])
def test_a_client_that_wants_no_keep_alive_gets_none(start_server, version, header):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.send("GET", header, version=version)
        assert client.response()[0].status_code == 200
        assert client.ending() == "fin"
    assert server.wait_for(Kind.CLOSED)[0].reason == "connection_close"


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"X" * 200_000])
def test_what_is_not_http_is_told_so_and_closed(start_server, garbage):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.sock.sendall(garbage)
        assert client.response()[0].status_code in (400, 431)
    assert server.wait_for(Kind.CLOSED)[0].reason == "bad_request"
    with Raw(server.address) as client:
        assert client.ask()[0] == 200


def test_a_large_response_reaches_a_slow_reader_whole(start_server):
    server = start_server(**LONG, response_size=5_000_000)
    with Raw(server.address) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        body = client.ask()[2]
    assert body == (b"ok\n" * 1_666_667)[:5_000_000]


def test_a_response_is_not_sent_before_its_delay(start_server):
    server = start_server(**LONG, response_delay_ms=Decimal(80))
    with Raw(server.address) as client:
        client.ask()
    request, response = server.events(Kind.REQUEST, Kind.RESPONSE)
    assert response.at - request.at >= 0.08


def test_a_client_that_half_closes_still_gets_its_answer(start_server):
    server = start_server(**LONG, response_delay_ms=Decimal(30))
    with Raw(server.address) as client:
        client.send()
        client.sock.shutdown(socket.SHUT_WR)
        assert client.response()[1] == b"ok\n"
        assert client.ending() == "fin"


def test_a_client_that_leaves_in_the_middle_is_forgotten(start_server):
    server = start_server(**LONG, response_delay_ms=Decimal(60_000))
    client = Raw(server.address)
    client.send()
    server.wait_for(Kind.REQUEST)
    client.reset()
    closed = server.wait_for(Kind.CLOSED)[0]
    assert closed.reason.startswith("client_reset")
    assert not server.events(Kind.RESPONSE)


# -- keep-alive -----------------------------------------------------------------------------------


def test_idle_connections_are_closed_with_fin_and_never_early(start_server):
    server = start_server(**SHORT)
    clients = [Raw(server.address) for _ in range(50)]
    for client in clients:
        client.ask()
    assert {client.ending() for client in clients} == {"fin"}
    closed = server.wait_for(Kind.CLOSED, count=50)
    answered = {event.connection: event.at for event in server.events(Kind.RESPONSE)}
    for event in closed:
        assert (event.reason, event.how, event.unread) == ("idle_timeout", "fin", 0)
        assert event.at - answered[event.connection] >= 0.1
    for client in clients:
        client.sock.close()


def test_a_request_starts_the_idle_time_anew(start_server):
    server = start_server(keepalive_timeout_ms=Decimal(300))
    with Raw(server.address) as client:
        for _ in range(20):
            client.ask()
        client.ending()
    last = server.events(Kind.RESPONSE)[-1]
    assert server.wait_for(Kind.CLOSED)[0].at - last.at >= 0.3
    assert len(server.events(Kind.IDLE_TIMEOUT)) == 1


def test_a_connection_without_a_request_is_not_idle(start_server):
    """The keep-alive timeout begins with a response, as Node's does (http.Server keepAliveTimeout)."""
    server = start_server(**SHORT)
    with Raw(server.address), Raw(server.address) as other:
        other.ask()
        other.ending()
        assert len(server.wait_for(Kind.CLOSED)) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"keepalive_timeout_ms": Decimal(5000)}, "timeout=5"),
        ({"keepalive_timeout_ms": Decimal(5900)}, "timeout=5"),
        ({"keepalive_timeout_ms": Decimal(5000), "advertise": False}, None),
    ],
)
def test_the_timeout_is_advertised_in_whole_seconds_or_not_at_all(start_server, settings, said):
    with Raw(start_server(**settings).address) as client:
        assert client.ask()[1].get("keep-alive") == said


def test_a_buffer_closes_later_than_advertised(start_server):
    server = start_server(**SHORT, keepalive_buffer_ms=Decimal(150))
    with Raw(server.address) as client:
        client.ask()
        client.ending()
    assert server.wait_for(Kind.CLOSED)[0].at - server.events(Kind.RESPONSE)[0].at >= 0.25


def test_it_can_close_with_rst(start_server):
    server = start_server(**SHORT, close_with="rst")
    with Raw(server.address) as client:
        client.ask()
        assert client.ending() == "rst"
    assert server.wait_for(Kind.CLOSED)[0].how == "rst"


def test_a_request_that_comes_while_the_loop_is_blocked_is_reset_unread(start_server):
    """Timers run before new data is read, as in libuv before 1.45: the kernel answers with RST.

    The server is blocked from 0.5 to 0.7 s; answered just before, its idle time ends at about 0.6 s, when
    the next request is sent. A machine too busy to keep these times gets another block to try with.
    """
    server = start_server(
        keepalive_timeout_ms=Decimal(150), busy_for_ms=Decimal(200), busy_every_ms=Decimal(500)
    )
    listening = server.events(Kind.LISTENING)[0].at
    resets = 0
    for block in range(1, 20):
        until(listening + block * 0.5 - 0.05)
        with Raw(server.address) as client:
            client.ask()
            until(listening + block * 0.5 + 0.1)
            client.send()
            try:
                client.sock.recv(65536)
            except ConnectionResetError:
                resets += 1
        unread = [event for event in server.events(Kind.CLOSED) if event.unread]
        if unread:
            break
    assert resets == 1
    assert [(event.reason, event.how, event.unread) for event in unread] == [("idle_timeout", "rst", 29)]


def test_a_busy_loop_is_blocked_as_long_and_as_often_as_asked(start_server):
    server = start_server(**LONG, busy_for_ms=Decimal(20), busy_every_ms=Decimal(50))
    blocks = server.wait_for(Kind.BUSY, count=4)
    assert all(block.at - block.began >= 0.02 for block in blocks)
    assert all(later.began - earlier.began >= 0.03 for earlier, later in pairwise(blocks))


# -- capacity -------------------------------------------------------------------------------------


def test_one_connection_more_is_closed_or_reset_at_once(start_server):
    for manner, endings in (("close", {"fin", "rst"}), ("reset", {"rst"})):
        server = start_server(**LONG, max_connections=2, when_full=manner)
        with Raw(server.address) as first, Raw(server.address) as second:
            first.ask()
            second.ask()
            with Raw(server.address) as third:
                assert third.ending() in endings
            assert first.ask()[0] == 200
        dropped = server.wait_for(Kind.DROPPED)
        assert [event.reason for event in dropped] == [manner]
        assert [e.reason for e in server.events(Kind.CLOSED) if e.connection == dropped[0].connection] == [
            "over_capacity"
        ]


def test_one_connection_more_is_answered_with_503(start_server):
    server = start_server(**LONG, max_connections=1, when_full="503")
    with Raw(server.address) as first:
        first.ask()
        with Raw(server.address) as second, Raw(server.address) as third:
            for refused in (second, third):
                status, headers, _ = refused.ask("POST", body=b"order")
                assert (status, headers["connection"]) == (503, "close")
                assert refused.ending() == "fin"
        assert first.ask()[0] == 200


def test_one_connection_more_waits_in_the_queue(start_server):
    server = start_server(**LONG, max_connections=1, when_full="queue")
    with Raw(server.address) as first:
        first.ask()
        second = Raw(server.address)
        second.send()
        server.wait_for(Kind.ACCEPT_PAUSED)
        assert len(server.events(Kind.ACCEPTED)) == 1
    assert second.response()[0].status_code == 200
    assert len(server.events(Kind.ACCEPT_RESUMED)) == 1
    second.sock.close()


def test_room_is_made_when_a_connection_ends(start_server):
    server = start_server(**LONG, max_connections=1)
    for _ in range(3):
        with Raw(server.address) as client:
            assert client.ask()[0] == 200
        server.wait_for(Kind.CLOSED, count=len(server.events(Kind.ACCEPTED)))
    assert not server.events(Kind.DROPPED)


# -- beginning and end ----------------------------------------------------------------------------


def test_it_closes_everything_when_told_to_stop(start_server):
    server = start_server(**LONG)
    with Raw(server.address) as client:
        client.ask()
        server.child.stop()
        assert client.ending() == "fin"
    events = server.child.take_events()
    assert [event.reason for event in events if event.kind == Kind.CLOSED] == ["shutdown"]
    assert events[-1].kind == Kind.STOPPED


def test_it_ends_when_whoever_started_it_is_killed():
    parent = subprocess.Popen(warm.python(_PARENT), stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout.readline() == "started\n"
        children = children_of(parent.pid)
        assert len(children) == 2
    finally:
        parent.kill()
        parent.communicate()
    wait_until(lambda: not any(map(is_running, children)), "the children's end")


_PARENT = """
import time
from econnlab.lab.lab import Lab
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Scenario
with Lab(Scenario("keepalive", link=PROFILES["lan"])) as lab:
    print("started", flush=True)
    time.sleep(60)
"""
