"""What a client meets, by what happened on the wire: the field's tables, from the lab's own server.

First for ``requests``, by the chain of its exceptions; then for a bare socket, by the errnos of Linux
(tcp_reset(), tcp_recvmsg(), __tcp_close()).
"""

import errno
import select
import socket
import sys
from decimal import Decimal

import pytest

from econnlab.lab.lab import Lab
from econnlab.scenario.server import Ending, Fault, Stage
from econnlab.scenario.toml import read_scenario
from tests.conftest import DEADLINE_S

FAULT = 'keepalive_timeout = "5s"\nresponse_size = 30000\n[server.fault]\nat = "{}"\nby = "{}"\n'
IDLE = 'keepalive_timeout = "40ms"\nclose_with = "{}"\n'
LOST = "ConnectionError < ProtocolError < "
CUT = "ChunkedEncodingError < ProtocolError < "
FIN, RST = "RemoteDisconnected", "ConnectionResetError"

#: What happened: the server, which request of a session it strikes, the chain; empty is a response.
REQUESTS = {
    "FIN after the request": (FAULT.format("processed", "fin"), 1, LOST + FIN),
    "RST after the request": (FAULT.format("processed", "rst"), 1, LOST + RST),
    "close with the request unread": (FAULT.format("unread", "fin"), 1, LOST + RST),
    "accept, then RST": ('max_connections = 1\nwhen_full = "reset"', None, LOST + RST),
    "half a body, FIN": (FAULT.format("half_body", "fin"), 1, CUT + "IncompleteRead"),
    "half a body, RST": (FAULT.format("half_body", "rst"), 1, CUT + RST),
    "half a chunked body, FIN": (
        "chunked = true\n" + FAULT.format("half_body", "fin"),
        1,
        CUT + "IncompleteRead",
    ),
    "half a head, FIN": (FAULT.format("half_head", "fin"), 1, ""),
    "idle FIN, seen before the reuse": (IDLE.format("fin"), 2, ""),
    "idle RST, seen before the reuse": (IDLE.format("rst"), 2, ""),
    "second request: FIN after it was read": (FAULT.format("read", "fin") + "request = 2", 2, LOST + FIN),
    "second request: RST": (FAULT.format("read", "rst") + "request = 2", 2, LOST + RST),
    "second request: unread": (FAULT.format("unread", "fin") + "request = 2", 2, LOST + RST),
}


def ran(server, requests, sessions=1):
    text = f"[plan]\nintervals = '120ms'\nsessions = {sessions}\nrequests = {requests}\ntogether = true\n"
    with Lab(read_scenario(f"{text}[server]\n{server}", "table", "table.toml")) as lab:
        for _ in lab.requests():
            pass
    return [request.last for request in lab.run.requests]


@pytest.mark.skipif(sys.platform != "linux", reason="BSD kernels report an RST after a FIN as ECONNRESET")
@pytest.mark.parametrize("happened", REQUESTS)
def test_what_requests_makes_of_it(happened):
    server, strikes, chain = REQUESTS[happened]
    attempts = ran(server, strikes or 1, sessions=1 if strikes else 2)
    failed = [attempt for attempt in attempts if attempt.error]
    if chain:
        (error,) = [attempt.error for attempt in failed]
        # On a busy machine an RST can come before connect(2) returns, which then raises it.
        assert error == chain or (
            happened == "accept, then RST" and error.endswith("NewConnectionError < " + RST)
        )
        assert failed[0].reused == (strikes == 2)
    else:
        assert [attempt.status for attempt in attempts] == [200] * strikes


# -- a bare socket --------------------------------------------------------------------------------

REQUEST = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 200_000


class Client:
    """A socket and what its calls say: bytes, a count, or the errno's name."""

    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=DEADLINE_S)

    def recv(self):
        return self._said(lambda: self.sock.recv(1 << 20))

    def send(self):
        return self._said(lambda: self.sock.send(b"x"))

    def so_error(self):
        return errno.errorcode.get(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def wait_for(self, events):
        poller = select.poll()
        poller.register(self.sock, events)
        assert poller.poll(DEADLINE_S * 1000)

    def all_data(self):
        """Everything up to the end, and how that shows."""
        data = b""
        while isinstance(said := self.recv(), bytes) and said:
            data += said
        return data, said

    @staticmethod
    def _said(call):
        try:
            return call()
        except OSError as error:
            return errno.errorcode[error.errno]


@pytest.fixture
def client_of(start_server):
    clients = []

    def connect(**settings):
        clients.append(Client(start_server(**settings).address))
        return clients[-1]

    yield connect
    for client in clients:
        client.sock.close()


def idle(client_of, close_with):
    """A connection that the server's idle timer has ended, its response read."""
    client = client_of(keepalive_timeout_ms=Decimal(40), close_with=close_with)
    client.sock.sendall(REQUEST)
    client.wait_for(select.POLLIN)
    assert client.recv().endswith(b"ok\n")
    client.wait_for(select.POLLRDHUP | select.POLLHUP)
    return client


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="these errnos are Linux's")


@linux_only
def test_a_fin_reads_as_the_end_and_the_first_send_still_goes_out(client_of):
    client = idle(client_of, "fin")
    assert client.recv() == b""
    assert client.send() == 1
    client.wait_for(select.POLLERR)  # its answer, an RST, has come
    assert client.send() == "EPIPE"
    assert client.recv() == b""


@linux_only
def test_an_rst_after_a_fin_is_epipe_and_never_econnreset(client_of):
    client = idle(client_of, "fin")
    assert client.send() == 1
    client.wait_for(select.POLLERR)
    assert client.so_error() == "EPIPE"
    assert client.recv() == b""


@linux_only
@pytest.mark.parametrize(("first", "then"), [("recv", b""), ("send", "EPIPE")])
def test_an_rst_alone_is_told_once(client_of, first, then):
    client = idle(client_of, "rst")
    assert getattr(client, first)() == "ECONNRESET"
    assert getattr(client, first)() == then


@linux_only
def test_so_error_takes_the_error_away(client_of):
    client = idle(client_of, "rst")
    assert client.so_error() == "ECONNRESET"
    assert client.so_error() is None
    assert client.recv() == b""


@linux_only
def test_a_close_over_unread_data_is_an_rst(client_of):
    client = client_of(fault=Fault(Stage.UNREAD))
    client.sock.sendall(REQUEST)
    client.wait_for(select.POLLERR)
    assert [client.recv(), client.recv(), client.send()] == ["ECONNRESET", b"", "EPIPE"]


@linux_only
@pytest.mark.parametrize(("by", "end"), [(Ending.FIN, b""), (Ending.RST, "ECONNRESET")])
def test_data_that_had_arrived_is_read_before_the_end(client_of, by, end):
    client = client_of(fault=Fault(Stage.HALF_BODY, by), response_size=30_000)
    client.sock.sendall(REQUEST)
    client.wait_for(select.POLLRDHUP | select.POLLHUP)
    data, said = client.all_data()
    assert 15_000 <= len(data) < 30_000
    assert said == end


@linux_only
def test_an_answer_followed_by_a_close_over_unread_data(client_of):
    client = client_of(max_body=1000, lingering_close=False)
    client._said(lambda: client.sock.sendall(UPLOAD))
    client.wait_for(select.POLLHUP)
    data, said = client.all_data()
    assert data.startswith(b"HTTP/1.1 413 ")
    assert said in ("ECONNRESET", b"")  # told once: the send may have had it
