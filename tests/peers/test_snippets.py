"""What users paste is run: each client's against the lab server, whose ledger says whether it does it.

The numbers of a snippet are made small; else it runs as it stands.
"""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from econnlab.explain.snippet import page_of, remedies_with_snippets
from econnlab.lab.listeners import bind
from econnlab.record.events import Kind
from econnlab.scenario.server import Ending, Fault, Stage
from tests.conftest import DEADLINE_S, is_running, wait_until
from tests.lab.raw import Raw
from tests.peers.conftest import HERE, MODULES, NODE_20, program

#: What cannot be run here, and why.
NOT_RUN = {
    "go": "no Go on these machines: Debian's is 300 MB",
    "alb": "it needs an account of AWS",
    "kubernetes": "it needs a cluster",
}
PYTHON = ("requests", "urllib3", "httpx", "aiohttp")
NODE = ("node", "axios", "undici")
LONG = Decimal(5000)
#: A pause that a made-small limit of 300 ms does not outlast, in seconds.
PAUSE_S = 0.7
#: Node gives a socket back to its agent a moment after the response's end.
A_MOMENT_S = 0.03
LOST = Fault(Stage.READ, Ending.RST, request=2)


@dataclass(frozen=True)
class Case:
    """How one remedy's snippet shows what it does: the server, what is sent, and what the ledger must say."""

    server: dict = field(default_factory=dict)
    #: (method, pause before it in s, how many at once)
    sends: tuple = (("GET", 0.0, 1), ("GET", PAUSE_S, 1))
    #: What becomes of the numbers in the text.
    smaller: dict = field(default_factory=dict)
    outcomes: tuple = ("200", "200")
    accepted: range = range(2, 3)
    requests: int = 2
    processed: int = 2


CASES = {
    "idle-limit": Case(
        sends=(("GET", 0.0, 1), ("GET", A_MOMENT_S, 1), ("GET", PAUSE_S, 1)),
        smaller={"4.0": "0.3", "4000": "300"},
        outcomes=("200",) * 3,
        requests=3,
        processed=3,
    ),
    "honour-keep-alive": Case({"keepalive_timeout_ms": Decimal(1900)}),  # which says timeout=1
    "stale-check": Case({"keepalive_timeout_ms": Decimal(100)}),
    "connection-close": Case(sends=(("GET", 0.0, 1), ("GET", 0.0, 1))),
    "tcp-keepalive": Case(accepted=range(1, 2)),
    "small-pool": Case(
        {"response_delay_ms": Decimal(50)}, (("GET", 0.0, 6),), {}, ("200",) * 6, range(1, 3), 6, 6
    ),
    "lifo-pool": Case(
        {"response_delay_ms": Decimal(50)},
        (("GET", 0.0, 3), *(("GET", 0.02, 1),) * 3),
        {},
        ("200",) * 6,
        range(3, 4),
        6,
        6,
    ),
    "retry": Case({"fault": LOST}, (("GET", 0.0, 1), ("GET", A_MOMENT_S, 1)), requests=3),
    "idempotency-key": Case(
        {"fault": Fault(Stage.PROCESSED, Ending.RST), "idempotency_keys": True},
        (("POST", 0.0, 1),),
        {},
        ("200",),
        range(2, 3),
        2,
        1,
    ),
}


def text_of(remedy, stack):
    return next(each.text for each in page_of(remedy).snippets if each.stack == stack)


def smaller(text, numbers):
    for number, small in numbers.items():
        text = text.replace(number, small)
    return text


def cells(stacks):
    return [
        (remedy, snippet.stack)
        for remedy in remedies_with_snippets()
        for snippet in page_of(remedy).snippets
        if snippet.stack in stacks
    ]


def check(case, server, outcomes, remedy):
    assert tuple(outcomes) == case.outcomes
    assert len(server.events(Kind.ACCEPTED)) in case.accepted
    assert len(server.events(Kind.REQUEST)) == case.requests
    assert len(server.events(Kind.PROCESSED)) == case.processed
    if remedy in ("idle-limit", "honour-keep-alive"):
        assert server.wait_for(Kind.CLOSED)[0].reason == "client_closed", "the client is the first to close"
    if remedy == "lifo-pool":
        assert len({event.connection for event in server.events(Kind.REQUEST)[3:]}) == 1


# -- Python ---------------------------------------------------------------------------------------


class Pasted:
    """The names that a Python snippet defines, and a way to ask with them whichever client it is."""

    def __init__(self, text):
        self.names = {}
        exec(compile(text, "snippet", "exec"), self.names)
        self._loop = None
        if "new_session" in self.names:
            self._loop = asyncio.new_event_loop()
            self._opened = self._loop.run_until_complete(self._open())

    async def _open(self):
        return self.names["new_session"]()

    def ask(self, url, method, count):
        if self._loop is not None:
            return self._loop.run_until_complete(self._ask_at_once(url, method, count))
        if count == 1:
            return [self._one(url, method)]
        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(lambda _: self._one(url, method), range(count)))

    async def _ask_at_once(self, url, method, count):
        async def one():
            async with self._opened.request(method, url) as response:
                await response.read()
                return str(response.status)

        return await asyncio.gather(*(one() for _ in range(count)))

    def _one(self, url, method):
        try:
            response = self._call()(method, url)
        except Exception as error:
            return type(error).__name__
        return str(getattr(response, "status_code", None) or response.status)

    def _call(self) -> Callable:
        names = self.names
        if "order" in names:
            return lambda method, url: names["order"](url, b"one order\n")
        if "send" in names:
            return names["send"]
        return names["pool"].request if "pool" in names else (names.get("session") or names["client"]).request

    def close(self):
        if self._loop is not None:
            self._loop.run_until_complete(self._opened.close())
            self._loop.close()
        elif "pool" in self.names:
            self.names["pool"].clear()
        else:
            (self.names.get("session") or self.names["client"]).close()


@pytest.fixture
def paste():
    with contextlib.ExitStack() as stack:

        def open_one(text):
            pasted = Pasted(text)
            stack.callback(pasted.close)
            return pasted

        yield open_one


@pytest.mark.parametrize(("remedy", "stack"), [each for each in cells(PYTHON) if each[0] in CASES])
def test_a_python_snippet_does_what_it_says(start_server, paste, remedy, stack):
    case = CASES[remedy]
    server = start_server(**{"keepalive_timeout_ms": LONG, **case.server})
    pasted = paste(smaller(text_of(remedy, stack), case.smaller))
    outcomes = []
    for method, pause, count in case.sends:
        time.sleep(pause)  # the very thing: a client that has nothing to ask for a while
        outcomes += pasted.ask(server.url, method, count)
    check(case, server, outcomes, remedy)
    if remedy == "tcp-keepalive":
        here = server.events(Kind.ACCEPTED)[0].peer.rpartition(":")[2]
        wait_until(lambda: timer_of(int(here)) == "02", "the kernel's keep-alive timer")


def timer_of(port):
    """The timer that runs on the connection from this port (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""
    if sys.platform != "linux":
        pytest.skip("/proc/net/tcp is Linux's")
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return next(line[5][:2] for line in lines if line[1] == f"0100007F:{port:04X}")


@pytest.mark.parametrize("stack", [stack for remedy, stack in cells(PYTHON) if remedy == "retry"])
def test_a_retry_that_is_pasted_does_not_send_a_post_again(start_server, paste, stack):
    server = start_server(fault=LOST)
    pasted = paste(text_of("retry", stack))
    assert pasted.ask(server.url, "GET", 1) == ["200"]
    (outcome,) = pasted.ask(server.url, "POST", 1)
    assert outcome != "200"
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET", "POST"]


@pytest.mark.parametrize("stack", [stack for remedy, stack in cells(PYTHON) if remedy == "ping"])
def test_a_ping_that_is_pasted_meets_the_end_in_the_orders_place(start_server, paste, stack):
    server = start_server(fault=LOST)
    pasted = paste(text_of("ping", stack))
    client = pasted.names.get("session") or pasted.names["client"]
    assert client.get(server.url).status_code == 200
    assert pasted.ask(server.url, "POST", 1) == ["200"]
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET", "OPTIONS", "POST"]


# -- Node -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node():
    if not Path(MODULES).exists():
        pytest.skip("the npm packages are not installed: make peers")
    return program("Node 20", NODE_20 if Path(NODE_20).exists() else shutil.which("node"))


CLIENTS = [each for each in cells(NODE) if each[0] in CASES and each != ("retry", "post")]


def test_what_is_pasted_into_node_does_what_it_says(node, start_server):
    """All at once, in one process, each with a server of its own."""
    jobs, served = [], {}
    for remedy, stack in CLIENTS:
        case = CASES[remedy]
        server = start_server(**{"keepalive_timeout_ms": LONG, **case.server})
        name = f"{remedy}-{stack}"
        served[name] = (case, server, remedy)
        sends = [
            {"method": method, "pause": pause * 1000, "at_once": count} for method, pause, count in case.sends
        ]
        text = smaller(text_of(remedy, stack), case.smaller)
        jobs.append({"id": name, "text": text, "url": server.url, "sends": sends})
    for stack in ("axios", "undici"):  # and none of them sends a POST again
        server = start_server(fault=LOST)
        sends = [{"method": "GET"}, {"method": "POST", "pause": A_MOMENT_S * 1000}]
        served[f"post-{stack}"] = (None, server, "retry")
        text = text_of("retry", stack)
        jobs.append({"id": f"post-{stack}", "text": text, "url": server.url, "sends": sends})
    done = subprocess.run(
        [node, str(HERE / "snippets.cjs"), str(MODULES)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S * 2,
    )
    results = {line["id"]: line["outcomes"] for line in map(json.loads, done.stdout.splitlines())}
    assert set(results) == set(served), done.stderr
    for name, (case, server, remedy) in served.items():
        if case is not None:
            check(case, server, results[name], remedy)
        else:
            assert results[name][0] == "200"
            assert results[name][1] != "200"
            assert [event.method for event in server.events(Kind.REQUEST)] == ["GET", "POST"]


@contextlib.contextmanager
def node_serves(node, text):
    words = [node, str(HERE / "snippets.cjs"), str(MODULES)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdin.write(json.dumps({"text": text}))
            process.stdin.close()
            yield process, ("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.kill()


def test_a_node_server_keeps_connections_for_as_long_as_is_pasted(node):
    text = smaller(text_of("server-timeout", "node"), {"65000": "300", "66000": "1300"})
    with node_serves(node, text) as (_, address), Raw(address) as client:
        assert client.ask("GET")[0] == 200
        assert closes_after(client) >= 0.3


def test_a_node_server_announces_the_last_request(node):
    text = smaller(text_of("announce-last", "node"), {"1000": "2"})
    with node_serves(node, text) as (_, address), Raw(address) as client:
        said = [client.ask("GET")[1]["connection"] for _ in range(2)]
    assert said == ["keep-alive", "close"]


def test_a_node_server_drains_before_it_stops(node):
    text = smaller(text_of("server-drain", "node"), {"10000": "500"})
    with node_serves(node, text) as (process, address), Raw(address) as client:
        assert client.ask("GET")[1]["connection"] == "keep-alive"
        process.send_signal(signal.SIGTERM)

        def says_close():
            with Raw(address) as other:
                return other.ask("GET")[1]["connection"] == "close"

        wait_until(says_close, "the drain to begin")
        assert client.ask("GET")[1]["connection"] == "close", "the idle connection was not cut off"
        client.sock.close()
        wait_until(lambda: not is_running(process.pid), "its end")


def closes_after(client):
    """Seconds until the server ends the idle connection."""
    began = time.monotonic()
    assert client.sock.recv(1) == b""
    return time.monotonic() - began


# -- servers and proxies --------------------------------------------------------------------------

APP = """
async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ok\\n"})

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return [b"ok\\n"]
"""


@pytest.mark.parametrize(
    ("stack", "app", "where"),
    [("uvicorn", "asgi", "--port {port}"), ("gunicorn", "wsgi", "--bind 127.0.0.1:{port}")],
)
def test_a_python_server_keeps_connections_for_as_long_as_is_pasted(tmp_path, stack, app, where):
    (tmp_path / "app.py").write_text(APP)
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    line = text_of("server-timeout", stack).splitlines()[-1]
    line = smaller(line, {"65": "1", "app:app": f"app:{app}"})
    name, *words = line.split()
    command = [str(Path(sys.executable).parent / name), *words, *where.format(port=port).split()]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: answers(port), f"{stack} to listen")
            with Raw(("127.0.0.1", port)) as client:
                assert client.ask("GET")[0] == 200
                assert closes_after(client) >= 0.9
        finally:
            process.terminate()


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


NGINX = """daemon off; master_process off; pid nginx.pid; error_log stderr error;
events {{}}
http {{
access_log off;
{}
}}
"""


@contextlib.contextmanager
def nginx_with(folder, text):
    path = program("nginx", shutil.which("nginx", path="/usr/sbin:/usr/bin"))
    (folder / "nginx.conf").write_text(NGINX.format(text))
    command = [path, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def free_port():
    with bind("127.0.0.1", 0) as free:
        return free.getsockname()[1]


@pytest.mark.parametrize("remedy", [remedy for remedy, stack in cells(("nginx",))])
def test_nginx_takes_what_is_pasted_and_does_it(tmp_path, start_server, remedy):
    first = start_server(fault=LOST if remedy == "retry" else None, keepalive_timeout_ms=LONG)
    second = start_server()
    port = free_port()
    text = smaller(
        text_of(remedy, "nginx"),
        {
            "8080": str(port), "8000": str(first.address[1]), "8001": str(second.address[1]),
            "timeout 4s": "timeout 100ms", "timeout 75s": "timeout 1s", "requests 10000": "requests 2",
        },
    )  # fmt: skip
    with nginx_with(tmp_path, text):
        wait_until(lambda: answers(port), "nginx to listen")
        with Raw(("127.0.0.1", port)) as client:
            if remedy == "lingering-close":
                status, _, _ = client.ask("POST", body=b"x" * 1_100_000)
                assert status == 413
                return
            status, headers, _ = client.ask("GET")
            assert status == 200
            if remedy == "idle-limit":
                assert first.wait_for(Kind.CLOSED)[0].reason == "client_closed"
            elif remedy == "server-timeout":
                assert closes_after(client) >= 0.9
            elif remedy == "announce-last":
                assert [headers["connection"], client.ask("GET")[1]["connection"]] == ["keep-alive", "close"]
            elif remedy == "tcp-keepalive":
                assert first.events(Kind.REQUEST)
            else:
                assert remedy == "retry", "how is this one shown to work?"
                assert {client.ask("GET")[0] for _ in range(4)} == {200}


def test_curl_sends_what_is_pasted(start_server):
    curl = program("curl", shutil.which("curl"))
    del curl  # the snippet names it
    closing = start_server()
    line = (
        text_of("connection-close", "curl").splitlines()[-1].replace('"$URL"', f"{closing.url} {closing.url}")
    )
    assert subprocess.run(["sh", "-c", f"{line} -s"], capture_output=True).stdout == b"ok\n" * 2
    assert len(closing.events(Kind.ACCEPTED)) == 2
    failing = start_server(fault=Fault(Stage.PROCESSED, Ending.RST))
    line = text_of("retry", "curl").splitlines()[-1].replace("--retry-delay 1", "--retry-delay 0")
    line = line.replace("--retry 3", "--retry 1").replace('"$URL"', failing.url)
    assert subprocess.run(["sh", "-c", f"{line} -s"], capture_output=True).returncode == 56
    assert len(failing.events(Kind.PROCESSED)) == 2, "whatever the method: it is carried out twice"


# -- nothing is forgotten -------------------------------------------------------------------------


def test_every_snippet_is_run_or_on_the_list_of_those_that_cannot_be():
    run_here = {*cells(PYTHON), *cells(NODE), *cells(("nginx", "uvicorn", "gunicorn", "curl"))}
    every = {(remedy, each.stack) for remedy in remedies_with_snippets() for each in page_of(remedy).snippets}
    assert {stack for _, stack in every - run_here} == set(NOT_RUN)
    shown = set(CASES) | {"ping", "server-timeout", "announce-last", "server-drain", "lingering-close"}
    assert {remedy for remedy, _ in run_here} == shown
