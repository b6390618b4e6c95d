"""What a client does against losses, on real connections: tries again, pings, heeds headers, sends keys."""

import socket
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from econnlab.client.session import open_session
from econnlab.errors import UsageProblem
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec, PoolOrder
from econnlab.scenario.server import Ending, Fault, Stage
from econnlab.system.clock import now
from tests.conftest import until, wait_until

KINDS = ["requests", "urllib3", "http.client"]
POOLED = KINDS[:2]
#: In /proc/net/tcp; the same port may stand there in TIME_WAIT as well (include/net/tcp_states.h).
ESTABLISHED = "01"
RESET_AFTER = Fault(Stage.PROCESSED, Ending.RST)
LOST_ON_REUSE = Fault(Stage.READ, Ending.FIN, request=2)


@pytest.fixture
def session_to():
    """A client's session with a server."""
    opened = []

    def open_one(address, kind="requests", **settings):
        if kind == "http.client":
            settings.setdefault("stale_check", False)
        spec = ClientSpec(kind=kind, **settings)
        opened.append(open_session(f"http://127.0.0.1:{address[1]}/", spec, address))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


def ids(server, kind=Kind.PROCESSED):
    return [event.request_id for event in server.events(kind)]


# -- trying again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("retry", "most"), [("requests", 0), ("aiohttp", 1), ("curl", 5)])
def test_what_has_no_setting_for_more_tries_is_not_said_to_make_them(start_server, session_to, retry, most):
    server = start_server()
    assert len(session_to(server.address, retry=retry, retries=most).perform(1, now())) == 1
    with pytest.raises(UsageProblem, match=f"at most {most} with {retry}"):
        session_to(server.address, retry=retry, retries=most + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_s_model_sends_again_with_any_client(start_server, session_to, kind):
    server = start_server(fault=LOST_ON_REUSE)
    session = session_to(server.address, kind, method="POST", retry="curl")
    assert len(session.perform(1, now())) == 1
    attempts = session.perform(2, now())
    assert [(try_.outcome, try_.reused, try_.number) for try_ in attempts] == [
        (Outcome.CLOSED, True, 1),
        (Outcome.OK, False, 2),
    ]
    assert {try_.request_id for try_ in attempts} == {"1-2"}
    assert ids(server, Kind.REQUEST) == ["1-1", "1-2", "1-2"]
    assert ids(server) == ["1-1", "1-2"]


@pytest.mark.parametrize("kind", KINDS)
def test_tenacity_itself_repeats_whatever_was_raised(start_server, session_to, kind):
    server = start_server(fault=RESET_AFTER)
    attempts = session_to(server.address, kind, method="POST", retry="tenacity", retries=2).perform(1, now())
    assert [try_.outcome for try_ in attempts] == [Outcome.RESET] * 3
    assert ids(server) == ["1-1"] * 3


def test_the_number_of_tries_can_be_said(start_server, session_to):
    server = start_server(fault=RESET_AFTER)
    for retries, tries in ((1, 2), (5, 6), (0, 4)):
        session = session_to(server.address, retry="axios-retry-3", retries=retries)
        assert len(session.perform(1, now())) == tries


def test_axios_gives_each_try_what_the_one_before_left_of_the_timeout(start_server, session_to):
    """A timeout is final for axios-retry: its one error that is not tried again (ECONNABORTED)."""
    server = start_server(fault=Fault(Stage.PROCESSED, Ending.RST, after_ms=Decimal(150)))
    session = session_to(server.address, retry="axios-retry-3", timeout_ms=Decimal(400))
    attempts = session.perform(1, now())
    assert [try_.outcome for try_ in attempts] == [Outcome.RESET, Outcome.RESET, Outcome.TIMEOUT]
    assert attempts[-1].ended - attempts[0].began < 0.9, "in all it takes as long as one timeout"


def test_a_wait_before_a_retry_ends_with_the_run(start_server, session_to):
    server = start_server(fault=RESET_AFTER)
    session = session_to(server.address, retry="undici")
    began = now()
    session.abort()  # what is to come returns at once as well
    assert session.perform(1, now())
    assert now() - began < 0.4, "undici's first wait is half a second"


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_can_be_read_once_is_sent_in_chunks_and_not_again(start_server, session_to, kind):
    server = start_server(fault=LOST_ON_REUSE)
    session = session_to(server.address, kind, method="PUT", retry="curl", replayable=False, body_size=9000)
    session.perform(1, now())
    (attempt,) = session.perform(2, now())
    assert attempt.outcome is Outcome.CLOSED
    assert [event.bytes for event in server.events(Kind.REQUEST)] == [9000, 9000]


def test_who_repeats_without_asking_sends_what_is_left_of_a_stream(start_server, session_to):
    """The second half of what a stream body means: a rule that does not ask sends nothing, and it counts."""
    server = start_server(fault=LOST_ON_REUSE)
    session = session_to(server.address, method="PUT", retry="tenacity", replayable=False)
    session.perform(1, now())
    assert session.perform(2, now())[-1].outcome is Outcome.OK
    assert [event.bytes for event in server.events(Kind.REQUEST)] == [10, 10, 0]


@pytest.mark.parametrize(
    "settings",
    [{"retries": 3}, {"retry": "urllib3"}, {"ping": True}, {"idle_limit_ms": Decimal(9)},
     {"honour_keep_alive_ms": Decimal(9)}],
)  # fmt: skip
def test_http_client_has_no_pool_and_says_so(session_to, settings):
    with pytest.raises(UsageProblem, match=r"http.client has no"):
        session_to(("127.0.0.1", 9), "http.client", **settings)


# -- before a connection is reused ----------------------------------------------------------------


@pytest.mark.parametrize("kind", POOLED)
def test_a_ping_goes_first_and_is_not_the_request(start_server, session_to, kind):
    server = start_server()
    session = session_to(server.address, kind, ping=True)
    (first,) = session.perform(1, now())
    (second,) = session.perform(2, now() + 0.05)
    assert (first.outcome, second.outcome, second.reused) == (Outcome.OK, Outcome.OK, True)
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET", "OPTIONS", "GET"]
    assert ids(server) == ["1-1", None, "1-2"]
    assert second.idle_s < 0.05, "it counts from the ping's answer"
    assert second.bytes_read == first.bytes_read


@pytest.mark.parametrize("kind", POOLED)
def test_a_ping_that_is_lost_costs_no_request(start_server, session_to, kind):
    """The connection is ended under whatever comes second, which is the ping."""
    server = start_server(fault=Fault(Stage.READ, Ending.RST, request=2))
    session = session_to(server.address, kind, ping=True)
    session.perform(1, now())
    (second,) = session.perform(2, now())
    assert (second.outcome, second.reused) == (Outcome.OK, False)
    assert ids(server) == ["1-1", "1-2"]


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize(
    ("settings", "reused"),
    [
        ({}, True),
        ({"idle_limit_ms": Decimal(50)}, False),
        ({"idle_limit_ms": Decimal(30_000)}, True),
        ({"honour_keep_alive_ms": Decimal(950)}, False),
        ({"honour_keep_alive_ms": Decimal(0)}, True),
        ({"connection_close": True}, False),
    ],
)
def test_a_connection_idle_for_100_ms_is_reused_or_not(start_server, session_to, kind, settings, reused):
    server = start_server(keepalive_timeout_ms=Decimal(1900))  # which it rounds down to timeout=1
    session = session_to(server.address, kind, **settings)
    (first,) = session.perform(1, now())
    (second,) = session.perform(2, first.ended + 0.1)
    assert (second.outcome, second.reused) == (Outcome.OK, reused)
    assert len(server.events(Kind.ACCEPTED)) == 2 - reused
    if not reused:
        assert server.wait_for(Kind.CLOSED)[0].reason in ("client_closed", "connection_close")


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize(
    ("order", "connections"), [(PoolOrder.FIFO, [1, 2, 3, 1]), (PoolOrder.LIFO, [1] * 4)]
)
def test_a_pool_takes_its_connections_in_turn_or_the_last(start_server, session_to, kind, order, connections):
    session = session_to(start_server().address, kind, pool_size=3, pool_order=order)
    taken = [session.perform(number, now())[0].connection for number in range(1, 5)]
    assert [number - taken[0] + 1 for number in taken] == connections


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/net/tcp is Linux's")
def test_probes_are_the_kernel_s_and_the_idle_timer_does_not_hear_them(start_server, session_to):
    """Timer 02 in /proc/net/tcp is the keep-alive timer (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""
    server = start_server(keepalive_timeout_ms=Decimal(1300))
    session = session_to(server.address, tcp_keepalive_ms=Decimal(1000))
    (first,) = session.perform(1, now())
    here = f"0100007F:{int(first.local.rpartition(':')[2]):04X}"

    def timer():
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return next(line[5][:2] for line in lines if (line[1], line[3]) == (here, ESTABLISHED))

    wait_until(lambda: timer() == "02", "the keep-alive timer")
    (closed,) = server.wait_for(Kind.IDLE_TIMEOUT)
    assert closed.idle_s < 2.0, "a probe after one second, and the connection was idle all the same"


def test_probes_below_a_second_are_not_to_be_had():
    with pytest.raises(UsageProblem, match="whole seconds"):
        ClientSpec(tcp_keepalive_ms=Decimal(900))


# -- idempotency keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(("heeds", "done"), [(True, 1), (False, 4)])
def test_a_key_is_carried_out_once_where_the_server_heeds_it(start_server, session_to, heeds, done):
    server = start_server(fault=RESET_AFTER, idempotency_keys=heeds)
    session = session_to(server.address, method="POST", retry="axios-retry-3", idempotency_key=True)
    attempts = session.perform(1, now())
    assert len(ids(server)) == done
    if heeds:
        assert [try_.outcome for try_ in attempts] == [Outcome.RESET, Outcome.OK]
        assert ids(server, Kind.REPLAYED) == ["1-1"]


def test_another_key_or_another_place_is_another_request(start_server):
    server = start_server(idempotency_keys=True)
    with socket.create_connection(server.address) as sock:
        for target, key in (("/", "a"), ("/", "a"), ("/", "b"), ("/other", "a"), ("/", "a")):
            head = f"POST {target} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {key}\r\n"
            sock.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())
            until(now() + 0.02)  # one request after another, not pipelined
        server.wait_for(Kind.RESPONSE, count=5)
    assert (len(ids(server)), len(ids(server, Kind.REPLAYED))) == (3, 2)
