"""A client in one file, as econnlab/client/kinds/__init__.py describes it: h11 over one connection."""

import sys
import types
from decimal import Decimal
from urllib.parse import urlsplit

import h11
import pytest

from econnlab.client.session import KINDS, open_session
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.server import Ending, Fault, Stage
from econnlab.system.clock import now


class H11Client:
    """One file's worth: everything that econnlab/client/kinds/ would hold of it."""

    def __init__(self, url, spec, observer, trusted):
        self._path, self._host = urlsplit(url).path, urlsplit(url).netloc
        self._method, self._observer = spec.method, observer
        self.sock = self.number = self.local = self.idle_since = None

    def perform(self, headers, body, timeout_s):
        observer = self._observer
        observer.hold()
        observer.begin_attempt(self)
        if self.sock is None:
            self.sock = observer.open_socket(self, timeout_s)
            observer.on_connected(self)
            self.http = h11.Connection(h11.CLIENT)
        self.sock.settimeout(timeout_s)
        observer.block()
        request = h11.Request(
            method=self._method,
            target=self._path,
            headers=[("Host", self._host), ("Content-Length", str(len(body or b""))), *headers.items()],
        )
        parts_of_it = (request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage())
        with observer.failures(sending=True):
            self.sock.sendall(b"".join(self.http.send(part) for part in parts_of_it))
        with observer.failures():
            response = self._event()
        texts = [(name.decode(), value.decode()) for name, value in response.headers]
        observer.on_response(response.status_code, texts)
        while not isinstance(self._event(), h11.EndOfMessage):
            pass
        if h11.MUST_CLOSE in (self.http.our_state, self.http.their_state):
            self.close()
        else:
            self.http.start_next_cycle()

    def _event(self):
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionResetError(104, "the connection was closed")
            self.http.receive_data(data)
        return event

    def close(self):
        if self.sock is not None:
            self.sock.close()
            self.sock = None


@pytest.fixture
def session_to(monkeypatch):
    opened = []
    module = types.ModuleType(f"{KINDS}.h11_client")
    module.NAME, module.POOLED, module.TLS = "h11", False, False
    module.open_client = lambda *arguments: H11Client(*arguments)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(parts(KINDS), "h11", module)

    def open_one(address, **settings):
        spec = ClientSpec(kind="h11", **settings)
        opened.append(open_session(f"http://127.0.0.1:{address[1]}/orders", spec, address))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


def test_its_steps_become_attempts(start_server, session_to):
    server = start_server()
    session = session_to(server.address, method="POST", blocked_ms=Decimal(20))
    (first,) = session.perform(1, now() + 0.02)
    (second,) = session.perform(2, now() + 0.05)
    assert (first.outcome, second.outcome, first.status) == (Outcome.OK, Outcome.OK, 200)
    assert (first.reused, second.reused) == (False, True)
    assert first.connection == second.connection and first.local == second.local
    assert first.planned <= first.began < first.sent < first.first_byte <= first.ended
    assert second.sent - second.began >= 0.02, "it is blocked with the connection in hand"
    assert second.idle_s >= 0.05
    assert first.keep_alive == "timeout=5"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(Fault(Stage.READ, Ending.RST, request=2), Outcome.RESET),
     (Fault(Stage.READ, Ending.FIN, request=2), Outcome.RESET)],
)  # fmt: skip
def test_its_failures_are_recorded_and_retried(start_server, session_to, fault, outcome):
    server = start_server(fault=fault)
    session = session_to(server.address, retry="curl")
    session.perform(1, now())
    failed, again = session.perform(2, now())
    assert (failed.outcome, failed.reused, again.outcome, again.reused) == (outcome, True, Outcome.OK, False)


def test_it_can_be_aborted_while_it_waits(start_server, session_to):
    server = start_server(response_delay_ms=Decimal(5000))
    session = session_to(server.address)
    session.abort()
    began = now()
    (attempt,) = session.perform(1, now())
    assert attempt.outcome is not Outcome.OK and now() - began < 3
