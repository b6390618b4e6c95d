"""IdleLimitAdapter in HTTPAdapter's place: what holds for one, holds for both; and under many threads."""

import contextlib
import pickle
import queue
import random
import select
import socket
import ssl
import threading
from decimal import Decimal

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.util import Retry

from econnlab.client import IdleLimitAdapter, IdleLimits, idle_adapter, limit_idle
from econnlab.record.events import Kind
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, until, wait_until
from tests.lab.test_clients import take_request
from tests.support.tls import TlsServer

LONG = {"keepalive_timeout_ms": Decimal(60_000)}
SHORT_LIMIT_S = 0.05
PROXIES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY".split()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=[HTTPAdapter, IdleLimitAdapter], ids=lambda kind: kind.__name__)
def kind(request):
    if request.param is HTTPAdapter:
        return HTTPAdapter
    return lambda *args, **settings: IdleLimitAdapter(*args, idle_limit=3600, **settings)


@pytest.fixture
def mounted():
    """A session with this adapter for everything."""
    with contextlib.ExitStack() as stack:

        def mount(adapter):
            session = stack.enter_context(requests.Session())
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            return session

        yield mount


def accepted(server):
    return len(server.events(Kind.ACCEPTED))


def answers(*responses):
    """A server's treatment of a connection: one of these for each request, None to close instead."""
    left = iter(responses)

    def treat(connection):
        while take_request(connection):
            response = next(left)
            if response is None:
                return
            connection.sendall(response)

    return treat


def response(body=b"ok\n", status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def url_of(address, path="/", scheme="http"):
    return f"{scheme}://127.0.0.1:{address[1]}{path}"


# -- proxies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["session", "environment"])
def test_a_proxy_is_asked(start_server, mounted, kind, by, monkeypatch):
    proxy = start_server(**LONG)  # understands an absolute URL, as any server (RFC 9112 section 3.2.2)
    session = mounted(kind())
    if by == "session":
        session.proxies = {"http": proxy.url}
    else:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
    for _ in range(2):
        assert session.get("http://shop.invalid/orders").content == b"ok\n"
    assert accepted(proxy) == 1


def test_a_proxys_connections_are_limited(start_server, mounted):
    proxy = start_server(**LONG)
    session = mounted(IdleLimitAdapter(idle_limit=SHORT_LIMIT_S))
    session.proxies = {"http": proxy.url}
    for _ in range(2):
        assert session.get("http://shop.invalid/").ok
        until(now() + 2 * SHORT_LIMIT_S)
    assert accepted(proxy) == 2


def tunnel(asked):
    """A proxy's treatment of a connection: CONNECT and no more."""

    def treat(client):
        head = take_request(client)
        asked.append(head.split()[:2])
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            others = {client: server, server: client}
            while True:
                for readable in select.select([*others], [], [], DEADLINE_S)[0]:
                    data = readable.recv(65536)
                    if not data:
                        return
                    others[readable].sendall(data)

    return treat


@pytest.mark.parametrize("by", ["session", "environment"])
def test_tls_goes_through_a_tunnel(scripted, tmp_path, mounted, kind, by, monkeypatch):
    asked = []
    proxy = url_of(scripted(tunnel(asked)))
    with TlsServer(tmp_path, **LONG) as server:
        session = mounted(kind())
        if by == "session":
            session.proxies = {"https": proxy}
        else:
            monkeypatch.setenv("https_proxy", proxy)
        for _ in range(2):
            assert session.get(server.url, verify=server.authority).content == b"ok\n"
        assert accepted(server) == 1
    assert asked == [[b"CONNECT", b"127.0.0.1:%d" % server.child.port]]


def test_a_tunnel_that_was_idle_is_dug_anew(scripted, tmp_path, mounted):
    asked = []
    proxy = url_of(scripted(tunnel(asked)))
    with TlsServer(tmp_path, **LONG) as server:
        session = mounted(IdleLimitAdapter(idle_limit=SHORT_LIMIT_S))
        session.proxies = {"https": proxy}
        for _ in range(2):
            assert session.get(server.url, verify=server.authority).content == b"ok\n"
            until(now() + 2 * SHORT_LIMIT_S)
        assert accepted(server) == len(asked) == 2


def test_a_thread_waits_while_another_limits_a_new_proxys_pools(monkeypatch):
    limiting, looked = threading.Event(), threading.Event()

    def limit_slowly(manager, limits):
        limiting.set()
        looked.wait(0.2)  # in vain, when all is well
        return limit_idle(manager, limits)

    adapter, found = IdleLimitAdapter(idle_limit=5), []
    monkeypatch.setattr(idle_adapter, "limit_idle", limit_slowly)

    def ask(number):
        if number:
            assert limiting.wait(DEADLINE_S)
        manager = adapter.proxy_manager_for("http://127.0.0.1:9")
        found.append((manager, getattr(manager, "idle_limits", None)))
        looked.set()

    in_threads(2, ask)
    assert found[0] == found[1]
    assert found[0][1] == IdleLimits(5)


# -- TLS ------------------------------------------------------------------------------------------


def test_a_servers_certificate_is_verified(tmp_path, mounted, kind):
    with TlsServer(tmp_path, **LONG) as server:
        session = mounted(kind())
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            session.get(server.url)
        for _ in range(2):
            assert session.get(server.url, verify=server.authority).content == b"ok\n"
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            assert session.get(server.url, verify=False).ok


def test_a_client_can_show_a_certificate(scripted, tmp_path, mounted, kind):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    def treat(connection):
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            answers(response(), response())(tls)

    url = url_of(scripted(treat), scheme="https")
    session = mounted(kind())
    with pytest.raises(requests.ConnectionError):
        session.get(url, verify=str(tmp_path / "ca.pem"))
    for _ in range(2):
        shown = session.get(url, verify=str(tmp_path / "ca.pem"), cert=str(tmp_path / "client.pem"))
        assert shown.content == b"ok\n"


# -- streaming ------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_a_stream_is_read_piece_by_piece_and_then_its_connection_is_reused(
    start_server, mounted, kind, chunked
):
    server = start_server(response_size=300_000, chunked=chunked, **LONG)
    session = mounted(kind())
    streamed = session.get(server.url, stream=True)
    pieces = streamed.iter_content(10_000)
    size = len(next(pieces))
    session.get(server.url)  # on another one, meanwhile
    assert accepted(server) == 2
    assert size + sum(map(len, pieces)) == 300_000
    with session.get(server.url, stream=True) as streamed:
        assert len(streamed.raw.read()) == 300_000
    assert accepted(server) == 2


def test_an_unread_response_takes_its_connection_along(start_server, mounted, kind):
    server = start_server(response_size=3_000_000, **LONG)
    session = mounted(kind())
    session.get(server.url, stream=True).close()
    assert len(session.get(server.url).content) == 3_000_000
    assert accepted(server) == 2


@pytest.mark.parametrize("limits", [IdleLimits(3600), IdleLimits(0)], ids=["limit", "at once"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("size", [3, 300_000])
def test_a_response_can_be_read_after_its_connection_was_given_back(start_server, limits, chunked, size):
    server = start_server(response_size=size, chunked=chunked, **LONG)
    with limit_idle(PoolManager(), limits) as manager:
        early = manager.request("GET", server.url, preload_content=False, release_conn=True)
        assert len(early.read()) == size
        late = manager.request("GET", server.url, preload_content=False)
        assert len(late.read(2)) == 2
        assert len(late.read()) == size - 2
        assert manager.request("GET", server.url).status == 200


def test_head_and_empty_responses_give_their_connection_back(scripted, mounted, kind):
    served = []

    def treat(connection):
        served.append(connection)
        answers(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\n\r\n",
            response(),
        )(connection)

    url = url_of(scripted(treat))
    session = mounted(kind())
    assert session.head(url).status_code == 200
    assert [session.get(url).status_code for _ in range(3)] == [204, 304, 200]
    assert len(served) == 1


# -- pools ----------------------------------------------------------------------------------------


def test_sessions_and_adapters_can_be_pickled(start_server, mounted, kind):
    server = start_server(**LONG)
    session = mounted(kind(1, 2, Retry(3), pool_block=True))
    session.get(server.url)
    with pickle.loads(pickle.dumps(session)) as again:
        assert again.get(server.url).content == b"ok\n"
        adapter = again.get_adapter(server.url)
        pool = adapter.poolmanager.connection_from_url(server.url)
        assert (pool.pool.maxsize, pool.block, adapter.max_retries.total) == (2, True, 3)
    assert accepted(server) == 2


class MakesItself(HTTPAdapter):
    """As requests' own documentation has it of an adapter that wants another TLS version."""

    def init_poolmanager(self, connections, maxsize, block=False):
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block)


def test_a_manager_that_an_adapter_makes_itself_is_limited_too(start_server, mounted):
    class Both(MakesItself, IdleLimitAdapter):
        pass

    server = start_server(**LONG)
    session = mounted(Both(idle_limit=SHORT_LIMIT_S))
    for _ in range(2):
        assert session.get(server.url).ok
        until(now() + 2 * SHORT_LIMIT_S)
    assert accepted(server) == 2


def test_a_session_keeps_so_many_pools_and_closes_them(start_server, mounted, kind):
    servers = [start_server(**LONG) for _ in range(2)]
    session = mounted(kind(pool_connections=1))
    for server in servers:
        session.get(server.url)
    assert len(session.get_adapter("http://").poolmanager.pools) == 1
    assert servers[0].wait_for(Kind.CLOSED)[0].reason == "client_closed"
    session.close()
    assert servers[1].wait_for(Kind.CLOSED)[0].reason == "client_closed"


def test_a_session_that_is_forgotten_closes_its_connections(start_server, kind):
    server = start_server(**LONG)
    session = requests.Session()
    session.mount("http://", kind())
    session.get(server.url)
    del session  # no circle of references keeps them until the garbage is collected
    assert server.wait_for(Kind.CLOSED)[0].reason == "client_closed"


def test_a_full_pool_lets_go_of_what_is_too_many(start_server, mounted, kind, caplog):
    server = start_server(**LONG)
    session = mounted(kind(pool_maxsize=1))
    first, second = (session.get(server.url, stream=True) for _ in range(2))
    assert (first.content, second.content) == (b"ok\n", b"ok\n")
    assert "Connection pool is full, discarding connection: 127.0.0.1" in caplog.text
    session.get(server.url)
    assert accepted(server) == 2


def test_a_blocking_pool_makes_others_wait(start_server, mounted, kind):
    server = start_server(**LONG)
    session = mounted(kind(pool_maxsize=1, pool_block=True))
    held = session.get(server.url, stream=True)
    asking, answered = threading.Event(), threading.Event()

    def ask():
        asking.set()
        session.get(server.url)
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    asking.wait(DEADLINE_S)
    assert not answered.wait(0.1)
    assert held.content == b"ok\n"
    thread.join(DEADLINE_S)
    assert answered.is_set()
    assert accepted(server) == 1


# -- redirects, retries, errors -------------------------------------------------------------------


def test_redirects_are_followed(scripted, mounted, kind):
    url = url_of(
        scripted(
            answers(
                response(b"", "302 Found", "Location: /second"),
                response(b"moved", "307 Temporary Redirect", "Location: /third"),
                response(),
            )
        )
    )
    followed = mounted(kind()).post(url, data=b"order")
    assert (followed.content, followed.url, followed.request.method) == (b"ok\n", url + "third", "GET")
    assert [each.status_code for each in followed.history] == [302, 307]


def test_retries_are_made(scripted, mounted, kind):
    treat = answers(None, None, response(b"", "503 Service Unavailable"), response())
    session = mounted(kind(max_retries=Retry(3, status_forcelist=[503])))
    answered = session.get(url_of(scripted(treat)))
    assert answered.content == b"ok\n"
    assert len(answered.raw.retries.history) == 3


def test_without_retries_an_error_is_the_callers(scripted, mounted, kind):
    session = mounted(kind())
    address = scripted(answers(response(), None, response()))
    assert session.get(url_of(address)).ok
    with pytest.raises(requests.ConnectionError, match="Remote end closed connection without response"):
        session.get(url_of(address))
    assert session.get(url_of(address)).ok


def test_errors_read_as_they_did(mounted, kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(requests.ConnectionError) as refused:
        mounted(kind()).get(url_of(address))
    assert str(refused.value).startswith(
        f"HTTPConnectionPool(host='127.0.0.1', port={address[1]}): Max retries exceeded with url: / "
    )


def test_a_timeout_is_heeded_on_a_used_connection(scripted, mounted, kind):
    def treat(connection):
        take_request(connection)
        connection.sendall(response())
        while take_request(connection):
            pass

    session, url = mounted(kind()), url_of(scripted(treat))
    assert session.get(url, timeout=DEADLINE_S).ok
    with pytest.raises(requests.ReadTimeout):
        session.get(url, timeout=0.1)


# -- threads --------------------------------------------------------------------------------------


def in_threads(count, work):
    """Run ``work`` with 0, 1, 2... side by side; the first error is raised here."""
    errors = queue.SimpleQueue()

    def run(number):
        try:
            work(number)
        except BaseException as error:
            errors.put(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S * 2)
        assert not thread.is_alive()
    if not errors.empty():
        raise errors.get()


THREADS, REQUESTS, POOL = 32, 40, 8


def test_32_threads_share_a_pool_whose_connections_are_replaced_all_the_time(scripted, mounted):
    lock, now_open, ever_open = threading.Lock(), set(), []

    def echo(connection):
        with lock:
            now_open.add(connection)
            ever_open.append(connection)
        while head := take_request(connection):
            # Three kinds of advertisement: used once, used for a moment, used until the limit.
            advertised = (b"1", b"1.003", b"60")[sum(head) % 3]
            path = head.split()[1]
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=%s\r\nContent-Length: %d\r\n\r\n%s"
                % (advertised, len(path), path)
            )
        with lock:
            now_open.remove(connection)

    url = url_of(scripted(echo), "")
    session = mounted(IdleLimitAdapter(pool_maxsize=POOL, pool_block=True, idle_limit=0.005))
    right = []

    def ask(number):
        pause = random.Random(number)
        for count in range(REQUESTS):
            path = f"/{number}/{count}"
            right.append(session.get(url + path, timeout=DEADLINE_S).text == path)
            until(now() + pause.choice([0, 0, 0.02]))

    in_threads(THREADS, ask)
    assert right == [True] * THREADS * REQUESTS
    pools = session.get_adapter(url).poolmanager.pools
    (pool,) = (pools[key] for key in pools.keys())  # noqa: SIM118  (no iteration)
    assert pool.num_requests == THREADS * REQUESTS
    assert pool.num_connections <= POOL  # objects, of which each has one socket at a time at most
    assert pool.pool.qsize() == POOL, "a connection was lost"
    assert len(ever_open) > 3 * POOL, "hardly one was replaced"
    wait_until(lambda: len(now_open) <= POOL, "the replaced ones to be closed")
    session.close()
    del pool, pools  # urllib3 closes a pool when nobody holds it
    wait_until(lambda: not now_open, "all to be closed")
