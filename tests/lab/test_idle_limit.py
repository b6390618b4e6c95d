"""Idle limits against the lab server: which connections are replaced, and who closes them first."""

import contextlib
import sys
import time
from decimal import Decimal

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager

from econnlab.client import IdleLimitAdapter, IdleLimits, idle_clock, idle_limit, limit_idle
from econnlab.client.observed import observe, tls_settings
from econnlab.client.observer import Observer
from econnlab.lab.children import Child
from econnlab.lab.listeners import bind
from econnlab.link.settings import LinkSettings
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Middlebox
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import Treatment
from econnlab.system.clock import now
from tests.conftest import Running, until
from tests.support.tls import TlsServer

LONG = {"keepalive_timeout_ms": Decimal(60_000)}


@pytest.fixture
def ask():
    """Send requests through an adapter, ``pause`` seconds after one another."""
    sessions = []

    def ask_times(count, url, adapter, pause=0.0, **settings):
        session = requests.Session()
        sessions.append(session)
        session.trust_env = False
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        for number in range(count):
            if number:
                until(now() + pause)
            assert session.get(url, timeout=10, **settings).content == b"ok\n"
        return session

    yield ask_times
    for session in sessions:
        session.close()


def accepted(server):
    return len(server.events(Kind.ACCEPTED))


def reasons(server, count):
    return [event.reason for event in server.wait_for(Kind.CLOSED, count=count)]


def test_an_idle_connection_is_replaced_and_the_client_closes_first(start_server, ask):
    server = start_server(keepalive_timeout_ms=Decimal(400))
    ask(3, server.url, IdleLimitAdapter(idle_limit=0.1), pause=0.15)
    assert accepted(server) == 3
    assert reasons(server, 2)[:2] == ["client_closed"] * 2


def test_without_a_limit_the_server_closes_first(start_server, ask):
    server = start_server(keepalive_timeout_ms=Decimal(100))
    ask(2, server.url, HTTPAdapter(), pause=0.3)
    assert accepted(server) == 2
    assert reasons(server, 1)[0] == "idle_timeout"


def test_below_the_limit_it_is_reused(start_server, ask):
    server = start_server(**LONG)
    ask(5, server.url, IdleLimitAdapter(idle_limit=10), pause=0.05)
    assert accepted(server) == 1


def test_a_limit_of_nothing_uses_no_connection_twice_and_closes_at_once(start_server, ask):
    server = start_server(**LONG)
    ask(3, server.url, IdleLimitAdapter(idle_limit=0))
    assert reasons(server, 3) == ["client_closed"] * 3, "the last one as well, while the session lives"
    assert accepted(server) == 3


@pytest.mark.parametrize(
    ("timeout_ms", "cases"),
    [
        (999, [({"keep_alive_margin": 0.2}, 2)]),  # says timeout=0
        (
            1000,
            [
                ({}, 2),
                ({"keep_alive_margin": 0}, 1),
                ({"keep_alive_margin": 0.9}, 2),
                ({"keep_alive_margin": 0, "idle_limit": 0.1}, 2),
                ({"honour_keep_alive": False}, 1),
                ({"honour_keep_alive": False, "idle_limit": 0.1}, 2),
            ],
        ),
        (60_000, [({}, 1), ({"keep_alive_margin": 60}, 2), ({"idle_limit": 0.1}, 2)]),
    ],
)
def test_what_the_server_advertises_is_heeded(start_server, ask, timeout_ms, cases):
    # The server keeps its connections for longer than it says: what is replaced, the header had replaced.
    server = start_server(keepalive_timeout_ms=Decimal(timeout_ms), keepalive_buffer_ms=Decimal(60_000))
    sessions = [ask(1, server.url, IdleLimitAdapter(**settings)) for settings, _ in cases]
    until(now() + 0.15)
    for session in sessions:
        session.get(server.url)
    used = [event.connection for event in server.events(Kind.REQUEST)]
    firsts, seconds = used[: len(cases)], used[len(cases) :]
    assert [
        (settings, len({*pair})) for (settings, _), *pair in zip(cases, firsts, seconds, strict=True)
    ] == cases


def test_a_server_that_advertises_nothing_is_left_to_the_limit(start_server, ask):
    server = start_server(advertise=False, **LONG)
    ask(2, server.url, IdleLimitAdapter(keep_alive_margin=60), pause=0.05)
    assert accepted(server) == 1


@pytest.mark.parametrize(
    ("steps", "used"),
    [
        pytest.param([(0, "1"), (0, None), (0.25, None)], "AAB", id="it stands when nothing is said"),
        pytest.param([(0, "1"), (0, "9"), (0.25, None)], "AAA", id="until something else is"),
        pytest.param([(0, "1"), (0.25, None), (0.25, None)], "ABB", id="on the same connection"),
    ],
)
def test_what_was_advertised_stands(scripted, steps, used):
    saying = iter([said for _, said in steps])
    connections = []

    def treat(connection):
        connections.append(connection)
        while connection.recv(65536):
            said = next(saying)
            header = "" if said is None else f"Keep-Alive: timeout={said}\r\n"
            body = "AB"[len(connections) - 1]
            connection.sendall(f"HTTP/1.1 200 OK\r\n{header}Content-Length: 1\r\n\r\n{body}".encode())

    host, port = scripted(treat)
    answers = ""
    with limit_idle(PoolManager(), IdleLimits(keep_alive_margin=0.8)) as manager:
        for pause, _ in steps:
            until(now() + pause)
            answers += manager.request("GET", f"http://{host}:{port}/").data.decode()
    assert answers == used


def test_a_real_urllib3_pool_is_limited(start_server):
    server = start_server(**LONG)
    with limit_idle(PoolManager(), IdleLimits(idle_limit=0.2)) as manager:
        for pause in (0, 0.25, 0):
            until(now() + pause)
            assert manager.request("GET", server.url, retries=False).data == b"ok\n"
    assert accepted(server) == 2


def test_tls_connections_are_limited_as_well(tmp_path, ask):
    with TlsServer(tmp_path, keepalive_timeout_ms=Decimal(400)) as server:
        ask(3, server.url, IdleLimitAdapter(idle_limit=0.1), pause=0.15, verify=server.authority)
        assert accepted(server) == 3
        assert reasons(server, 2)[:2] == ["client_closed"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when the last byte arrived (TCP_INFO)")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_the_clock_runs_while_the_response_waits_to_be_read(start_server, tmp_path, ask, tls):
    # The server's does: a limit that counts from the end of reading would take a dead connection up.
    with TlsServer(tmp_path, **LONG) if tls else contextlib.nullcontext(start_server(**LONG)) as server:
        verify = getattr(server, "authority", None)
        session = ask(1, server.url, IdleLimitAdapter(idle_limit=0.25), verify=verify)
        response = session.get(server.url, stream=True, verify=verify)
        until(now() + 0.35)
        assert response.content == b"ok\n"
        assert accepted(server) == 1
        session.get(server.url, verify=verify)
        assert accepted(server) == 2


def test_the_clock_runs_while_the_machine_is_suspended(start_server, ask, monkeypatch):
    if sys.platform == "linux":
        assert idle_clock.clock() <= time.clock_gettime(time.CLOCK_BOOTTIME) < idle_clock.clock() + 60
    server = start_server(**LONG)
    session = ask(2, server.url, IdleLimitAdapter(idle_limit=600))
    assert accepted(server) == 1
    clock = idle_clock.clock
    for module in (idle_clock, idle_limit):  # the kernel still thinks that it was idle for a moment
        monkeypatch.setattr(module, "clock", lambda: clock() + 3600)
    session.get(server.url)
    assert accepted(server) == 2


@pytest.fixture
def start_nat_gateway():
    """A link that forgets idle connections, and answers what comes then with RST (urllib3#3184)."""
    started = []

    def start(upstream, idle_timeout_ms):
        treatment = Treatment(parse_link("0ms"), Middlebox(Decimal(idle_timeout_ms), rst=True))
        settings = LinkSettings(treatment=treatment, seed=1, upstreams=(Place(*upstream),), traced=True)
        child = Child("econnlab.link", bind("127.0.0.1", 0), settings)
        started.append(child)
        child.wait_until_listening()
        return Running(child)

    yield start
    for child in started:
        child.stop()


def test_a_nat_gateway_resets_what_has_no_limit_and_never_meets_what_has(
    start_server, start_nat_gateway, ask
):
    gateway = start_nat_gateway(start_server(**LONG).address, idle_timeout_ms=150)
    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        ask(2, gateway.url, HTTPAdapter(), pause=0.25)
    ask(3, gateway.url, IdleLimitAdapter(idle_limit=0.05), pause=0.25)


class ObservedAdapter(IdleLimitAdapter):
    """As the lab's own: its pools are made observed ones after they were limited."""

    def __init__(self, observer, **settings):
        self.observer = observer
        super().__init__(**settings)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        observe(self.poolmanager, self.observer)


def perform(observer, send, count, interval):
    """Which of so many requests went out on a used connection."""
    reused = []
    due = now()
    for number in range(count):
        observer.begin_request(number, str(number), "GET", due)
        send()
        observer.end_attempt(None)
        reused += [attempt.reused for attempt in observer.end_request()]
        due = now() + interval
    return reused


@pytest.mark.parametrize("stale_check", [True, False], ids=["looks", "does not look"])
@pytest.mark.parametrize("order", ["observed, then limited", "limited, then observed", "adapter"])
def test_observed_connections_are_limited_when_their_request_is_due(start_server, order, stale_check):
    server = start_server(**LONG)
    observer = Observer(0, 1, server.address, ClientSpec(stale_check=stale_check))
    with contextlib.closing(observer), PoolManager() as manager, requests.Session() as session:
        steps = {
            "observed": lambda: observe(manager, observer),
            "limited": lambda: limit_idle(manager, IdleLimits(idle_limit=0.2)),
            "adapter": lambda: session.mount("http://", ObservedAdapter(observer, idle_limit=0.2)),
        }
        for step in order.split(", then "):
            steps[step]()
        if order == "adapter":
            send = lambda: session.get(server.url)
        else:
            send = lambda: manager.request("GET", server.url, retries=False)
        # It is idle for the interval inside of urllib3's taking it up: see Observer.hold.
        assert perform(observer, send, 2, interval=0.25) == [False, False]
        assert accepted(server) == 2
        assert perform(observer, send, 2, interval=0) == [True, True]


def test_observed_tls_connections_are_limited(tmp_path):
    with TlsServer(tmp_path, **LONG) as server:
        observer = Observer(0, 1, server.address, ClientSpec())
        manager = PoolManager(**tls_settings(server.url, server.authority))
        observe(manager, observer)
        with contextlib.closing(observer), limit_idle(manager, IdleLimits(idle_limit=0.2)):
            send = lambda: manager.request("GET", server.url, retries=False)
            assert perform(observer, send, 2, interval=0.25) == [False, False]
            assert perform(observer, send, 2, interval=0) == [True, True]
