"""What users paste is run: each client's against the lab server, whose ledger says whether it does it.

The numbers of a snippet are made small; else it runs as it stands. Nearly all of the time is pauses, so
whatever pauses is played at once, in the fixture ``played``, and each test asks for its own part.
"""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from econnlab.advice.snippet import page_of, remedies_with_snippets
from econnlab.lab.listeners import bind
from econnlab.record.events import Kind
from econnlab.scenario.server import Ending, Fault, Stage
from tests.conftest import DEADLINE_S, is_running, servers, wait_until
from tests.peers.conftest import HERE, MODULES, NODE_20, program
from tests.support.raw import Raw

#: What cannot be run here, and why.
NOT_RUN = {
    "go": "no Go on these machines: Debian's is 300 MB",
    "alb": "it needs an account of AWS; its words are held against AWS's own description of them",
    "kubernetes": "it needs a cluster",
    "dotnet": "Debian has no .NET",
    "envoy": "no Envoy in Debian; its words are those of its API reference",
    "java": "its limit is a property, read once in a process; javac 17 compiles the lines",
    "apache4": "the library is no part of Debian's JDK; javac 17 compiles the lines against 4.5.14",
    "apache5": "as apache4, against 5.1.3",
    "okhttp": "as apache4, against 4.12.0",
    "postgres": "it needs a database and SQLAlchemy; unit tests compile it",
    "mysql": "as postgres",
    "redis": "it needs a server and redis-py; unit tests compile it",
}
PYTHON = ("requests", "urllib3", "requests-plain", "urllib3-plain", "httpx", "aiohttp")
NODE = ("node", "axios", "undici", "got")
LONG = Decimal(5000)
#: A pause that a made-small limit of 800 ms does not outlast, in seconds.
PAUSE_S = 1.1
#: What is pasted says 60 s, of which some are gone.
A_MINUTE = (50, 60.1)
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
        smaller={"4.0": "0.8", "4000": "800"},
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
            try:
                async with self._opened.request(method, url) as response:
                    await response.read()
                    return str(response.status)
            except OSError as error:  # which aiohttp.ClientOSError is
                return type(error).__name__

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


IN_PYTHON = [each for each in cells(PYTHON) if each[0] in CASES]


def pasted_small(remedy, stack):
    return Pasted(smaller(text_of(remedy, stack), CASES[remedy].smaller))


def play_in_python(pasted, server, remedy):
    case = CASES[remedy]
    with contextlib.closing(pasted):
        outcomes = []
        for method, pause, count in case.sends:
            time.sleep(pause)  # the very thing: a client that has nothing to ask for a while
            outcomes += pasted.ask(server.url, method, count)
        check(case, server, outcomes, remedy)
        if remedy == "tcp-keepalive":
            probes(server, A_MINUTE)


@pytest.mark.parametrize(("remedy", "stack"), IN_PYTHON)
def test_a_python_snippet_does_what_it_says(played, remedy, stack):
    played[remedy, stack].result()


def probes(server, within=None):
    """Wait until the kernel's keep-alive timer runs for the client of ``server``'s first connection.

    ``within``: and ends between these seconds from then.
    """
    wait_until(lambda: server.events(Kind.REQUEST), "a request")
    here = int(server.events(Kind.ACCEPTED)[0].peer.rpartition(":")[2])
    wait_until(lambda: timer_of(here, server.address[1])[0] == "02", "the kernel's keep-alive timer")
    if within is not None:
        kind, ends_in_s = timer_of(here, server.address[1])
        assert kind == "02"
        assert within[0] <= ends_in_s <= within[1]


def timer_of(port, to):
    """The timer of the connection between these ports, and its seconds (tcp_ipv4.c, get_tcp4_sock)."""
    if sys.platform != "linux":
        pytest.skip("/proc/net/tcp is Linux's")
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    ends = [f"0100007F:{port:04X}", f"0100007F:{to:04X}"]  # one port may have gone to several servers
    kind, _, ticks = next(line[5] for line in lines if line[1:3] == ends).partition(":")
    return kind, int(ticks, 16) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("stack", [stack for remedy, stack in cells(PYTHON) if remedy == "retry"])
def test_a_retry_that_is_pasted_does_not_send_a_post_again(start_server, paste, stack):
    server = start_server(fault=LOST)
    pasted = paste(text_of("retry", stack))
    assert pasted.ask(server.url, "GET", 1) == ["200"]
    (outcome,) = pasted.ask(server.url, "POST", 1)
    assert outcome != "200"
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET", "POST"]


@pytest.mark.parametrize("stack", ["requests", "urllib3", "httpx"])
def test_a_retry_that_is_pasted_knows_a_method_by_its_small_letters(start_server, paste, stack):
    server = start_server(fault=LOST)
    pasted = paste(text_of("retry", stack))
    assert [pasted.ask(server.url, "get", 1) for _ in range(2)] == [["200"], ["200"]]
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET"] * 3


@pytest.mark.parametrize("stack", ["requests", "urllib3", "httpx"])
def test_a_retry_that_is_pasted_sends_a_post_where_no_connection_came_about(paste, stack):
    pasted = paste(text_of("retry", stack))
    with bind("127.0.0.1", 0) as listener, ThreadPoolExecutor(1) as thread:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"  # where nobody listens yet
        outcome = thread.submit(pasted.ask, url, "POST", 1)
        time.sleep(0.1)  # for its first attempt, which is at once; the last is half a second later or more
        assert not outcome.done()
        listener.listen()
        listener.settimeout(DEADLINE_S)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(4)[:4] == b"POST"
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert outcome.result() == ["200"]


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
    return found_node()


def found_node():
    if not Path(MODULES).exists():
        pytest.skip("the npm packages are not installed: make peers")
    return program("Node 20", NODE_20 if Path(NODE_20).exists() else shutil.which("node"))


IN_NODE = [each for each in cells(NODE) if each[0] in CASES]
#: What repeats a GET, and a POST only where it was not sent.
RETRYING_IN_NODE = [("post", stack) for stack in ("axios", "undici", "got")]
GET_THEN_POST = Case(
    {"fault": LOST}, (("GET", 0.0, 1), ("POST", A_MOMENT_S, 1)), outcomes=("200",), accepted=range(1, 3)
)
#: The answer's head is there already when a used socket dies: whoever has it must not be given a second one.
#: The RST comes later than the bytes, else Node takes both for an end of file and the request hears nothing.
CUT_IN_THE_BODY = Case(
    {"fault": Fault(Stage.HALF_BODY, Ending.RST, request=2, after_ms=Decimal(20))},
    (("GET", 0.0, 1), ("GET", A_MOMENT_S, 1)),
    outcomes=("200", "ECONNRESET"),
    accepted=range(1, 2),
)
#: Other cases of the remedy retry.
OF_RETRY = {"post": GET_THEN_POST, "cut": CUT_IN_THE_BODY}

REFUSED = "refused/axios"
TOOK = "took"


def case_in_node(remedy):
    return OF_RETRY[remedy] if remedy in OF_RETRY else CASES[remedy]


def play_in_node(served):
    """All at once, in one process, each with a server of its own: the outcomes of each."""
    jobs = []
    for (remedy, stack), server in served.items():
        case = case_in_node(remedy)
        sends = [
            {"method": method, "pause": pause * 1000, "at_once": count} for method, pause, count in case.sends
        ]
        text = smaller(text_of("retry" if remedy in OF_RETRY else remedy, stack), case.smaller)
        jobs.append({"id": f"{remedy}/{stack}", "text": text, "url": server.url, "sends": sends})
    with bind("127.0.0.1", 0) as deaf:  # nobody listens there
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        jobs.append(
            {"id": REFUSED, "text": text_of("retry", "axios"), "url": url, "sends": [{"method": "POST"}]}
        )
        done = subprocess.run(
            [found_node(), str(HERE / "snippets.cjs"), str(MODULES)],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S * 2,
        )
    lines = list(map(json.loads, done.stdout.splitlines()))
    results = {line["id"]: line["outcomes"] for line in lines}
    results[TOOK] = {line["id"]: line["took_ms"] for line in lines}
    assert set(results) == {TOOK, *(job["id"] for job in jobs)}, done.stderr
    return results


@pytest.mark.parametrize(("remedy", "stack"), IN_NODE)
def test_a_snippet_for_node_does_what_it_says(played, node, remedy, stack):
    results, served = played["node"].result()
    check(CASES[remedy], served[remedy, stack], results[f"{remedy}/{stack}"], remedy)
    if remedy == "tcp-keepalive":
        played["probes"].result()


@pytest.mark.parametrize(("remedy", "stack"), RETRYING_IN_NODE)
def test_a_retry_pasted_into_node_does_not_send_a_post_again(played, node, remedy, stack):
    results, served = played["node"].result()
    first, second = results[f"{remedy}/{stack}"]
    assert first == "200"
    assert second != "200"
    assert [event.method for event in served[remedy, stack].events(Kind.REQUEST)] == ["GET", "POST"]


def test_a_retry_pasted_into_node_gives_no_second_answer_after_half_of_the_first(played, node):
    results, served = played["node"].result()
    check(CUT_IN_THE_BODY, served["cut", "node"], results["cut/node"], "retry")


def test_a_retry_pasted_into_axios_sends_a_post_again_where_no_connection_came_about(played, node):
    results, _ = played["node"].result()
    assert results[REFUSED] == ["ECONNREFUSED"]
    assert results[TOOK][REFUSED] >= 1400, "three waits of 200, 400 and 800 ms at least (axios-retry 4.5.0)"


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


def keeps_in_node():
    text = smaller(text_of("server-timeout", "node"), {"65000": "300"})
    with node_serves(found_node(), text) as (_, address), Raw(address) as client:
        assert closes_after_asking(client) >= 0.3


def test_a_node_server_announces_the_last_request(node):
    text = smaller(text_of("announce-last", "node"), {"1000": "2"})
    with node_serves(node, text) as (_, address), Raw(address) as client:
        said = [client.ask("GET")[1]["connection"] for _ in range(2)]
    assert said == ["keep-alive", "close"]


def drains_in_node():
    text = smaller(text_of("server-drain", "node"), {"10000": "1500"})
    with node_serves(found_node(), text) as (process, address), Raw(address) as client:
        assert client.ask("GET")[1]["connection"] == "keep-alive"
        process.send_signal(signal.SIGTERM)

        def says_close():
            with Raw(address) as other:
                return other.ask("GET")[1]["connection"] == "close"

        wait_until(says_close, "the drain to begin")
        assert client.ask("GET")[1]["connection"] == "close", "the idle connection was not cut off"
        client.sock.close()
        wait_until(lambda: not is_running(process.pid), "its end")


def closes_after_asking(client):
    """Seconds from before a request until the server ends the connection: not less than it was idle there."""
    began = time.monotonic()
    assert client.ask("GET")[0] == 200
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


def keeps_in_python(folder, stack, app, where):
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    port = free_port()
    line = text_of("server-timeout", stack).splitlines()[-1]
    line = smaller(line, {"65": "1", "app:app": f"app:{app}"})
    name, *words = line.split()
    command = [str(Path(sys.executable).parent / name), *words, *where.format(port=port).split()]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: answers(port), f"{stack} to listen")
            with Raw(("127.0.0.1", port)) as client:
                assert closes_after_asking(client) >= 0.9
        finally:
            process.terminate()


def keeps_in_nginx(folder):
    port = free_port()
    text = smaller(text_of("server-timeout", "nginx"), {"8080": str(port), "timeout 75s": "timeout 1s"})
    with nginx_with(folder, text):
        wait_until(lambda: answers(port), "nginx to listen")
        with Raw(("127.0.0.1", port)) as client:
            assert closes_after_asking(client) >= 0.9


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
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(text))
    command = [path, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


#: Bound and never listening: the port stays ours, so that nobody else is given it before the server takes it.
RESERVED = []


def free_port():
    RESERVED.append(bind("127.0.0.1", 0))
    return RESERVED[-1].getsockname()[1]


def does_it_in_nginx(start, folder, remedy):
    probed = (
        remedy == "tcp-keepalive"
    )  # by nginx, which must still have the connection when that is looked at
    first = start(
        fault=LOST if remedy == "retry" else None,
        keepalive_timeout_ms=LONG,
        response_delay_ms=Decimal(1000 if probed else 0),
    )
    second = start()
    port = free_port()
    text = smaller(
        text_of(remedy, "nginx"),
        {
            "8080": str(port), "8000": str(first.address[1]), "8001": str(second.address[1]),
            "timeout 4s": "timeout 100ms", "requests 10000": "requests 2",
        },
    )  # fmt: skip
    with nginx_with(folder, text):
        wait_until(lambda: answers(port), "nginx to listen")
        with Raw(("127.0.0.1", port)) as client:
            if remedy == "lingering-close":
                status, _, _ = client.ask("POST", body=b"x" * 1_100_000)
                assert status == 413
                return
            if probed:
                client.send()
                probes(first)
                assert client.response()[0].status_code == 200
                return
            status, headers, _ = client.ask("GET")
            assert status == 200
            if remedy == "idle-limit":
                assert first.wait_for(Kind.CLOSED)[0].reason == "client_closed"
            elif remedy == "announce-last":
                assert [headers["connection"], client.ask("GET")[1]["connection"]] == ["keep-alive", "close"]
            else:
                assert remedy == "retry", "how is this one shown to work?"
                assert {client.ask("GET")[0] for _ in range(4)} == {200}


@pytest.mark.parametrize("remedy", [remedy for remedy, _ in cells(("haproxy",))])
def test_haproxy_takes_its_lines(tmp_path, remedy):
    path = program("haproxy", shutil.which("haproxy", path="/usr/sbin:/usr/bin"))
    file = tmp_path / "haproxy.cfg"
    file.write_text(text_of(remedy, "haproxy"))
    done = subprocess.run([path, "-c", "-f", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def with_curl(line):
    program("curl", shutil.which("curl"))  # which the snippet names
    return subprocess.run(["sh", "-c", f"{line} -s"], capture_output=True)


def closes_by_curl(start):
    server = start()
    line = text_of("connection-close", "curl").splitlines()[-1]
    assert with_curl(line.replace('"$URL"', f"{server.url} {server.url}")).stdout == b"ok\n" * 2
    assert len(server.events(Kind.ACCEPTED)) == 2


def retries_by_curl(start):
    server = start(fault=Fault(Stage.PROCESSED, Ending.RST))
    line = text_of("retry", "curl").splitlines()[-1].replace("--retry-delay 1", "--retry-delay 0")
    line = line.replace("--retry 3", "--retry 1").replace('"$URL"', server.url)
    assert with_curl(line).returncode == 56
    assert len(server.events(Kind.PROCESSED)) == 2, "whatever the method: it is carried out twice"


#: What is no client in Python or Node: what shows it, given a way to start lab servers and a new folder.
SHOWN = {
    ("server-timeout", "uvicorn"): lambda _, folder: keeps_in_python(
        folder, "uvicorn", "asgi", "--port {port}"
    ),
    ("server-timeout", "gunicorn"): lambda _, folder: keeps_in_python(
        folder, "gunicorn", "wsgi", "--bind 127.0.0.1:{port}"
    ),
    ("server-timeout", "node"): lambda _, __: keeps_in_node(),
    ("server-drain", "node"): lambda _, __: drains_in_node(),
    **{
        (remedy, "nginx"): lambda start, folder, remedy=remedy: does_it_in_nginx(start, folder, remedy)
        for remedy, _ in cells(("nginx",))
    },
    ("server-timeout", "nginx"): lambda _, folder: keeps_in_nginx(folder),
    ("connection-close", "curl"): lambda start, _: closes_by_curl(start),
    ("retry", "curl"): lambda start, _: retries_by_curl(start),
}


@pytest.mark.parametrize(("remedy", "stack"), SHOWN)
def test_a_server_proxy_or_command_does_what_it_says(played, remedy, stack):
    played[remedy, stack].result()


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Iterator[dict[object, Future]]:
    """What pauses, at once. All is started and imported before the first client asks."""
    folder = tmp_path_factory.mktemp("played")
    with servers() as start, ThreadPoolExecutor(len(IN_PYTHON) + len(SHOWN) + 2) as threads:

        def serve(case):
            return threads.submit(start, **{"keepalive_timeout_ms": LONG, **case.server})

        shown = {cell: threads.submit(show, start, folder / "-".join(cell)) for cell, show in SHOWN.items()}
        for_python = {cell: serve(CASES[cell[0]]) for cell in IN_PYTHON}
        cells_in_node = (*IN_NODE, *RETRYING_IN_NODE, ("cut", "node"))
        for_node = {cell: serve(case_in_node(cell[0])) for cell in cells_in_node}
        pasted = {cell: pasted_small(*cell) for cell in IN_PYTHON}
        in_node = {cell: server.result() for cell, server in for_node.items()}
        in_python = {cell: server.result() for cell, server in for_python.items()}
        playing = {
            cell: threads.submit(play_in_python, pasted[cell], server, cell[0])
            for cell, server in in_python.items()
        }
        node = threads.submit(lambda: (play_in_node(in_node), in_node))
        probed = threads.submit(probes, in_node["tcp-keepalive", "node"], A_MINUTE)  # while Node pauses
        yield {**shown, **playing, "node": node, "probes": probed}
        for server in (*in_python.values(), *in_node.values()):
            server.child.tell_to_end()  # all of them, before one is waited for
        for reserved in RESERVED:
            reserved.close()


@pytest.mark.parametrize("remedy", [remedy for remedy, _ in cells(("alb",))])
def test_what_is_pasted_for_aws_is_what_aws_describes(remedy):
    session = pytest.importorskip("botocore.session")
    aws, service, operation, *options = shlex.split(text_of(remedy, "alb").replace("\\\n", ""), comments=True)
    assert (aws, service) == ("aws", "elbv2")
    shape = session.get_session().get_service_model(service).operation_model(camel(operation)).input_shape
    values = dict(zip(options[::2], options[1::2], strict=True))
    assert (
        {camel(option.lstrip("-")) for option in values} == set(shape.members) >= set(shape.required_members)
    )
    attribute = dict(pair.split("=") for pair in values["--attributes"].split(","))
    members = shape.members["Attributes"].member.members
    assert set(attribute) == set(members)
    assert f"<code>{attribute['Key']}</code>" in members["Key"].documentation
    assert 1 <= int(attribute["Value"]) <= 4000


def camel(words):
    return "".join(word.capitalize() for word in words.split("-"))


# -- nothing is forgotten -------------------------------------------------------------------------


def test_every_snippet_is_run_or_on_the_list_of_those_that_cannot_be():
    run_here = {*cells(PYTHON), *cells(NODE), *cells(("nginx", "haproxy", "uvicorn", "gunicorn", "curl"))}
    every = {(remedy, each.stack) for remedy in remedies_with_snippets() for each in page_of(remedy).snippets}
    assert {stack for _, stack in every - run_here} == set(NOT_RUN)
    shown = set(CASES) | {"ping", "server-timeout", "announce-last", "server-drain", "lingering-close"}
    assert {remedy for remedy, _ in run_here} == shown
