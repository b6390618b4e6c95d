"""The clients against servers that end connections in every way: what each is seen to do and to meet."""

import contextlib
import socket
import struct
import threading
import tracemalloc
from decimal import Decimal
from itertools import pairwise

import pytest
import trustme

from econnlab.client import session as clients
from econnlab.errors import UsageProblem
from econnlab.record.attempts import Outcome
from econnlab.scenario.client import ClientSpec
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, wait_until

KINDS = ["requests", "urllib3"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@pytest.fixture
def open_session():
    sessions = []

    def open_one(kind, address, url=None, **settings):
        spec = ClientSpec(kind=kind, **settings)
        opened = clients.open_session(url or f"http://127.0.0.1:{address[1]}/", spec, address)
        sessions.append(opened)
        return opened

    yield open_one
    for opened in sessions:
        opened.close()


def take_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    return data


def then(*steps):
    """A server's treatment of a connection: for each step take a request, and answer it, or end it."""

    def treat(connection):
        for step in steps:
            if take_request(connection) is None:
                return
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                step(connection)
                return

    return treat


def fin(connection):
    connection.close()


def rst(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def send_then(data, end):
    def step(connection):
        connection.sendall(data)
        end(connection)

    return step


def wait_for_client(connection):
    connection.recv(1)


PART = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"
CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("ending", "outcome", "errno"),
    [
        pytest.param(fin, Outcome.CLOSED, None, id="fin"),
        pytest.param(rst, Outcome.RESET, "ECONNRESET", id="rst"),
        pytest.param(send_then(PART, fin), Outcome.TRUNCATED, None, id="body cut by fin"),
        pytest.param(send_then(PART, rst), Outcome.RESET, "ECONNRESET", id="body cut by rst"),
        pytest.param(send_then(CHUNK, fin), Outcome.TRUNCATED, None, id="chunks cut by fin"),
        pytest.param(send_then(b"HTTP/1.", fin), Outcome.TRUNCATED, None, id="status line cut"),
        pytest.param(send_then(b"garbage\r\n\r\n", wait_for_client), Outcome.OTHER, None, id="garbage"),
        pytest.param(
            send_then(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", fin),
            Outcome.HTTP_ERROR,
            None,
            id="500",
        ),
        pytest.param(wait_for_client, Outcome.TIMEOUT, None, id="no answer"),
    ],
)
def test_what_a_client_meets_on_a_new_connection(open_session, scripted, kind, ending, outcome, errno):
    patience_ms = Decimal(200) if outcome is Outcome.TIMEOUT else Decimal(5000)
    session = open_session(kind, scripted(then(ending)), timeout_ms=patience_ms)
    (attempt,) = session.perform(1, now())
    assert (attempt.outcome, attempt.errno, attempt.reused) == (outcome, errno, False)
    assert attempt.began <= attempt.sent <= attempt.ended


@pytest.mark.parametrize("kind", KINDS)
def test_cut_headers_pass_for_an_answer(open_session, scripted, kind):
    """http.client takes the end of input for the end of the headers (FIELD 1.6): no error to see."""
    session = open_session(kind, scripted(then(send_then(b"HTTP/1.1 200 OK\r\nContent-Le", fin))))
    (attempt,) = session.perform(1, now())
    assert (attempt.outcome, attempt.status) == (Outcome.OK, 200)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ending", "outcome"), [(fin, Outcome.CLOSED), (rst, Outcome.RESET)])
def test_what_a_client_meets_when_it_reuses(open_session, scripted, kind, ending, outcome):
    session = open_session(kind, scripted(then(OK, ending, OK)))
    (first,) = session.perform(1, now())
    (second,) = session.perform(2, now() + 0.05)
    assert (first.outcome, first.reused, first.idle_s) == (Outcome.OK, False, None)
    assert (second.outcome, second.reused) == (outcome, True)
    assert second.idle_s == pytest.approx(second.sent - first.ended)
    assert second.idle_s >= 0.05 - 0.01
    assert (second.connection, second.local) == (first.connection, first.local)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stale_check_sees_a_close_in_time_and_without_it_the_client_does_not(
    open_session, scripted, kind
):
    for stale_check in (True, False):
        closed = threading.Event()

        def treat(connection, closed=closed):
            take_request(connection)
            connection.sendall(OK)
            connection.close()
            closed.set()

        session = open_session(kind, scripted(treat), stale_check=stale_check)
        (first,) = session.perform(1, now())
        assert closed.wait(DEADLINE_S)
        (second,) = session.perform(2, now())
        assert second.reused is not stale_check
        assert second.outcome is (Outcome.OK if stale_check else Outcome.CLOSED)
        assert (second.connection == first.connection) is not stale_check


@pytest.mark.parametrize("kind", KINDS)
def test_every_attempt_of_a_retried_request_is_told(open_session, scripted, kind):
    endings = iter([fin, rst, None])

    def treat(connection):
        take_request(connection)
        ending = next(endings)
        if ending is None:
            connection.sendall(OK)
            wait_for_client(connection)
        else:
            ending(connection)

    session = open_session(kind, scripted(treat), retries=3)
    attempts = session.perform(1, now())
    assert [attempt.outcome for attempt in attempts] == [Outcome.CLOSED, Outcome.RESET, Outcome.OK]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert len({attempt.connection for attempt in attempts}) == 3
    assert [attempt.planned is None for attempt in attempts] == [False, True, True]
    assert all(earlier.ended <= later.began for earlier, later in pairwise(attempts))


@pytest.mark.parametrize("kind", KINDS)
def test_retries_that_run_out_leave_every_attempt(open_session, scripted, kind):
    session = open_session(kind, scripted(then(rst)), retries=2)
    attempts = session.perform(1, now())
    assert [attempt.outcome for attempt in attempts] == [Outcome.RESET] * 3
    assert "MaxRetryError" in attempts[-1].error


@pytest.mark.parametrize("kind", KINDS)
def test_urllib3_does_not_repeat_a_post(open_session, scripted, kind):
    """A POST is two sends: the second can meet the RST, which urllib3 passes over to read an end of file."""
    session = open_session(kind, scripted(then(rst)), retries=3, method="POST")
    (attempt,) = session.perform(1, now())
    if attempt.outcome is Outcome.CLOSED:
        assert attempt.send_errno in ("ECONNRESET", "EPIPE")
    else:
        assert attempt.outcome is Outcome.RESET


@pytest.mark.parametrize("kind", KINDS)
def test_without_retries_there_is_one_attempt(open_session, scripted, kind):
    session = open_session(kind, scripted(then(rst)))
    assert len(session.perform(1, now())) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_retried_503_is_one_attempt_and_the_next_another(open_session, scripted, kind):
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    attempts = open_session(kind, scripted(then(busy, OK, wait_for_client)), retries=1).perform(1, now())
    assert [(attempt.outcome, attempt.status) for attempt in attempts] == [
        (Outcome.HTTP_ERROR, 503),
        (Outcome.OK, 200),
    ]
    exhausted = open_session(kind, scripted(then(busy, busy, wait_for_client)), retries=1).perform(1, now())
    assert [attempt.outcome for attempt in exhausted] == [Outcome.HTTP_ERROR] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_connection(open_session, kind):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        (attempt,) = open_session(kind, bound.getsockname()).perform(1, now())
    assert (attempt.outcome, attempt.errno, attempt.sent) == (Outcome.REFUSED, "ECONNREFUSED", None)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_before_it_is_due(open_session, scripted, kind):
    session = open_session(kind, scripted(then(OK, OK, wait_for_client)))
    for request in (1, 2):
        due = now() + 0.05
        (attempt,) = session.perform(request, due)
        assert attempt.planned == due
        assert attempt.began >= due
        assert attempt.lateness_s >= 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_is_an_answer_and_is_not_followed(open_session, scripted, kind):
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    (attempt,) = open_session(kind, scripted(then(moved, wait_for_client))).perform(1, now())
    assert (attempt.outcome, attempt.status) == (Outcome.OK, 302)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_server_says_of_keep_alive_is_kept(open_session, scripted, kind):
    answer = OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\n\r\n", 1)
    (attempt,) = open_session(kind, scripted(then(answer, wait_for_client))).perform(1, now())
    assert (attempt.keep_alive, attempt.connection_header) == ("timeout=5", "keep-alive")


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_is_aborted_returns_at_once(open_session, scripted, kind):
    taken = threading.Event()
    session = open_session(
        kind, scripted(then(lambda connection: (taken.set(), wait_for_client(connection))))
    )
    done = []
    thread = threading.Thread(target=lambda: done.append(session.perform(1, now())))
    thread.start()
    assert taken.wait(DEADLINE_S)
    session.abort()
    thread.join(DEADLINE_S)
    assert done


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_attempt_leaves_no_socket_behind(open_session, scripted, kind):
    """urllib3 2.8.0 keeps it until the exception is garbage; a server with a limit would stay full."""
    seen = []

    def treat(connection):
        take_request(connection)
        connection.sendall(PART)
        connection.shutdown(socket.SHUT_WR)
        seen.append(connection.recv(1))

    (attempt,) = open_session(kind, scripted(treat)).perform(1, now())
    assert attempt.outcome is Outcome.TRUNCATED
    wait_until(lambda: seen, "the client's FIN")
    assert seen == [b""]


@pytest.mark.parametrize("kind", KINDS)
def test_the_environments_proxy_does_not_come_between(open_session, scripted, kind, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    (attempt,) = open_session(kind, scripted(then(OK, wait_for_client))).perform(1, now())
    assert attempt.outcome is Outcome.OK


@pytest.mark.parametrize("kind", KINDS)
def test_tls_is_seen_as_well(open_session, scripted, kind, monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def treat(connection):
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                then(OK, OK, fin)(tls)
        except ssl.SSLError:
            pass  # a client that does not trust us leaves in the handshake

    address = scripted(treat)
    url = f"https://localhost:{address[1]}/"
    (distrusting,) = open_session(kind, address, url).perform(1, now())
    assert distrusting.outcome is Outcome.OTHER
    assert "SSLCertVerificationError" in distrusting.error

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    session = open_session(kind, address, url)
    (first,) = session.perform(1, now())
    (second,) = session.perform(2, now())
    (third,) = session.perform(3, now())
    assert [attempt.outcome for attempt in (first, second, third)] == [Outcome.OK, Outcome.OK, Outcome.CLOSED]
    assert second.reused
    assert second.sent is not None
    assert second.bytes_read == len(OK)


# -- http.client ----------------------------------------------------------------------------------


def stdlib(open_session, address, **settings):
    return open_session("http.client", address, stale_check=False, **settings)


def test_http_client_reuses_its_connection_and_opens_it_anew_after_a_loss(open_session, scripted):
    session = stdlib(open_session, scripted(then(OK, OK, fin)))
    first, second, third, fourth = (session.perform(number, now())[-1] for number in (1, 2, 3, 4))
    assert [each.outcome for each in (first, second, third, fourth)] == ["ok", "ok", "closed", "ok"]
    assert [each.reused for each in (first, second, third, fourth)] == [False, True, True, False]
    assert third.error == "RemoteDisconnected"


def test_http_client_gives_up_on_the_first_error_of_a_send(open_session, scripted):
    """It does not read what the server has said meanwhile; requests and curl do."""

    def answer_early(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    session = stdlib(open_session, scripted(answer_early), method="POST", body_size=20_000_000)
    attempt = session.perform(1, now())[-1]
    assert attempt.outcome in ("reset", "broken_pipe")
    assert attempt.send_errno == attempt.errno


@pytest.mark.parametrize("settings", [{"stale_check": True}, {"stale_check": False, "retries": 1}])
def test_http_client_is_not_asked_for_what_it_has_not(open_session, settings):
    with pytest.raises(UsageProblem):
        open_session("http.client", ("127.0.0.1", 1), **settings)


def test_a_blocked_client_writes_that_much_later(open_session, scripted):
    session = open_session("requests", scripted(then(OK, OK)), blocked_ms=Decimal(60))
    for number in (1, 2):
        attempt = session.perform(number, now())[-1]
        assert attempt.outcome == "ok"
        assert attempt.sent - attempt.began >= 0.06


# -- patience and what a client cannot read -------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_drips_does_not_hold_the_client_for_ever(kind, open_session, scripted):
    def drip(connection):
        take_request(connection)
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                threading.Event().wait(0.02)

    attempt = open_session(kind, scripted(drip), timeout_ms=Decimal(200)).perform(1, now())[-1]
    assert attempt.outcome == Outcome.TIMEOUT
    assert attempt.bytes_read > 40
    assert attempt.ended - attempt.began >= 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_that_cannot_be_read_does_not_spoil_the_next(kind, open_session, scripted):
    broken = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"
    session = open_session(kind, scripted(then(broken, OK)))
    first, second = (session.perform(number, now())[-1] for number in (1, 2))
    assert (first.outcome, second.sent is not None) == (Outcome.OTHER, True)
    assert first.error.endswith("zlib.error")


@pytest.mark.parametrize("kind", [*KINDS, "http.client"])
def test_a_large_body_is_read_and_dropped(kind, open_session, scripted):
    size = 32 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size

    def treat(connection):
        take_request(connection)
        connection.sendall(head)
        for _ in range(size >> 20):
            connection.sendall(bytes(1 << 20))

    session = open_session(kind, scripted(treat), stale_check=kind != "http.client")
    tracemalloc.start()
    try:
        attempt = session.perform(1, now())[-1]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (attempt.outcome, attempt.bytes_read) == (Outcome.OK, size + len(head))
    assert most < size / 2, "the server's part of this process counts as well"
