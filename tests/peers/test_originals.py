"""The originals of the retry policies, as themselves against the lab server: the models decide the same.

Each cell is one request of a client of its own. The server's ledger tells how often it really came; only
where nobody listens must the client's own word do. A request on a reused connection is struck there and
answered on a new one; one on a new connection is struck on every one, so that the count shows the limit too.
"""

import contextlib
import itertools
import json
import random
import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import pytest

from econnlab.client.retrying import FailedAttempt
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from econnlab.scenario.server import Ending, Fault, Stage
from tests.conftest import DEADLINE_S, servers
from tests.peers import originals_nginx
from tests.peers.conftest import HERE, MODULES, NODE_14, NODE_20, program

ROOT = HERE.parent.parent

POLICIES = parts("econnlab.client.policies")
METHODS = ("GET", "PUT", "POST")
#: Long enough for a first request on a busy machine, where one client cannot give it a timeout of its own.
TIMEOUT_MS = 400
#: Longer than anything here takes: axios-retry takes what an attempt has used from the next one's timeout.
PATIENCE_MS = 10_000
HALF_AN_HOUR = Decimal(1_800_000)
#: What the server does with a request, and how the policies are told of it.
FAULTS = {
    "reset": (Fault(Stage.PROCESSED, Ending.RST), {"outcome": Outcome.RESET}),
    "closed": (Fault(Stage.PROCESSED, Ending.FIN), {"outcome": Outcome.CLOSED}),
    "truncated": (
        Fault(Stage.HALF_BODY, Ending.FIN),
        {"outcome": Outcome.TRUNCATED, "status": 200, "response_began": True},
    ),
    "cut by RST": (
        Fault(Stage.HALF_BODY, Ending.RST),
        {"outcome": Outcome.RESET, "status": 200, "response_began": True},
    ),
    "half a head": (
        Fault(Stage.HALF_HEAD, Ending.FIN),
        {"outcome": Outcome.TRUNCATED, "response_began": True},
    ),
    "timeout": (Fault(Stage.PROCESSED, after_ms=HALF_AN_HOUR), {"outcome": Outcome.TIMEOUT}),
    "503": (None, {"outcome": Outcome.HTTP_ERROR, "status": 503, "response_began": True}),
    "refused": (None, {"outcome": Outcome.REFUSED, "sent": False, "connected": False}),
}
#: http.client and curl take half a head for a whole response: there is no failure to decide about.
TAKEN_FOR_WHOLE = {("half a head", name) for name in ("urllib3", "requests", "tenacity", "botocore", "curl")}
#: A request that is refused goes out on no connection.
CELLS = [
    (fault, reused) for fault in FAULTS for reused in (True, False) if (fault, reused) != ("refused", True)
]


@dataclass
class Cell:
    """One request, of one method, of one client."""

    policy: str
    fault: str
    reused: bool
    method: str
    url: str

    @property
    def id(self):
        return f"{self.policy}/{self.fault}/{'reused' if self.reused else 'new'}/{self.method}".replace(
            " ", "-"
        )

    @property
    def timeout_ms(self):
        return TIMEOUT_MS if self.fault == "timeout" else PATIENCE_MS

    def as_json(self):
        return {
            "id": self.id,
            "library": self.policy,
            "method": self.method,
            "url": self.url,
            "warm": self.url if self.reused else None,
            "timeout": self.timeout_ms,
        }


@pytest.fixture(scope="module")
def targets():
    """A server for every fault, on the first and on the second request of a connection."""
    with servers() as start, contextlib.closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))
        running = {}
        for (fault, (how, _)), reused in itertools.product(FAULTS.items(), (False, True)):
            if how is not None:
                struck = Fault(how.at, how.by, 2 if reused else 1, how.after_ms)
                running[fault, reused] = start(fault=struck, response_size=1000)
        running["503", False] = running["503", True] = start(status=503)
        yield Targets(running, f"http://127.0.0.1:{deaf.getsockname()[1]}/")


class Targets:
    """Where each cell's request goes, and how often it came."""

    def __init__(self, running, nobody):
        self.running = running
        self.nobody = nobody

    def cells(self, policies):
        return [
            Cell(policy, fault, reused, method, self.url_of(fault, reused))
            for policy in policies
            for fault, reused in CELLS
            for method in METHODS
        ]

    def url_of(self, fault, reused):
        return self.nobody if fault == "refused" else self.running[fault, reused].url

    def came(self):
        """By request: how often it came, and whether it came on a reused connection at first."""
        times, on_reused = defaultdict(int), {}
        for server in set(self.running.values()):
            seen = set()
            for event in server.events(Kind.REQUEST):
                if event.request_id is not None:
                    times[event.request_id] += 1
                    on_reused.setdefault(event.request_id, event.connection in seen)
                seen.add(event.connection)
        return times, on_reused


def run_node(cells):
    """axios-retry, undici and got, in one process of Node."""
    node = program("Node 20", str(NODE_20) if NODE_20.exists() else shutil.which("node"))
    for module in ("axios-3", "axios-4", "axios-retry-3", "axios-retry-4", "undici", "got"):
        program(module, str(MODULES / module))
    return by_json([node, str(HERE / "originals.cjs"), str(MODULES.parent)], cells)


def run_nuxt(cells):
    """@nuxtjs/axios with retry: true, over the axios and the axios-retry that it brings."""
    node = program("Node 20", str(NODE_20) if NODE_20.exists() else shutil.which("node"))
    program("@nuxtjs/axios", str(MODULES / "@nuxtjs/axios"))
    return by_json([node, str(HERE / "originals.cjs"), str(MODULES.parent)], cells)


def run_node_14(cells):
    """The article's axios-retry on the article's Node."""
    node = program("Node 14", str(NODE_14))
    return by_json([node, str(HERE / "originals.cjs"), str(MODULES.parent)], cells)


def run_python(cells):
    return by_json([sys.executable, "-m", "tests.peers.originals_python"], cells)


def run_aiohttp(cells):
    return by_json([sys.executable, "-m", "tests.peers.originals_aiohttp"], cells)


def by_json(words, cells):
    asked = json.dumps([cell.as_json() for cell in cells])
    done = subprocess.run(
        words, input=asked, capture_output=True, text=True, timeout=3 * DEADLINE_S, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    lines = map(json.loads, done.stdout.splitlines())
    return {line["id"]: (line["tries"], line.get("error") or line["status"]) for line in lines}


def run_curl(cells):
    """curl without --retry, a process a cell."""
    curl = program("curl", shutil.which("curl"))

    def ask(cell):
        quiet = ["-s", "-o", "/dev/null", "-m", str(cell.timeout_ms / 1000)]
        body = [] if cell.method == "GET" else ["--data", "one order"]
        ours = [*quiet, "-v", "-X", cell.method, *body, "-H", f"X-Econnlab-Request: {cell.id}", cell.url]
        warm = ["-s", "-o", "/dev/null", cell.url, "--next"] if cell.reused else []
        done = subprocess.run([curl, *warm, *ours], capture_output=True, text=True, timeout=DEADLINE_S)
        return len(re.findall("connect to .* failed", done.stderr)), done.returncode

    with ThreadPoolExecutor(4) as pool:
        return dict(zip((cell.id for cell in cells), pool.map(ask, cells), strict=True))


def run_nginx(cells):
    """nginx in front of each server twice over."""
    try:
        return originals_nginx.ask(cells)
    except EnvironmentProblem as problem:
        pytest.skip(f"{problem}: make peers")


HOSTS = {
    run_node: ("axios-retry-3", "axios-retry-4", "undici", "got"),
    run_nuxt: ("nuxt-axios",),
    run_python: ("urllib3", "requests", "tenacity", "botocore"),
    run_aiohttp: ("aiohttp",),
    run_curl: ("curl",),
    run_nginx: ("nginx",),
}


@pytest.fixture(scope="module")
def ran(targets):
    """Every cell, all hosts at once; a host that is not installed skips when its results are asked for."""
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        running = {host: pool.submit(host, targets.cells(policies)) for host, policies in HOSTS.items()}
    return *targets.came(), running


def expected(policy, fault, reused, method):
    """How often the policy would have the request sent."""
    if (fault, policy) in TAKEN_FOR_WHOLE:
        return 1
    module = POLICIES[policy]
    asked = module.policy(module.RETRIES, random.Random(1))
    told = {"sent": True, **FAULTS[fault][1]}
    for attempt in itertools.count(1):
        failed = FailedAttempt(method, reused=reused and attempt == 1, attempt=attempt, **told)
        if asked.after(failed) is None:
            return attempt
        if reused and fault != "503":
            return 2  # on a new connection, where the first request is answered
    raise AssertionError


@pytest.mark.parametrize(("fault", "reused"), CELLS)
@pytest.mark.parametrize(("policy", "host"), [(name, host) for host in HOSTS for name in HOSTS[host]])
def test_the_policy_sends_as_often_as_the_original(ran, policy, host, fault, reused):
    times, on_reused, running = ran
    said = running[host].result()
    for method in METHODS:
        name = Cell(policy, fault, reused, method, "").id
        tries, end = said[name]
        sent = tries if fault == "refused" else times[name]
        assert sent == expected(policy, fault, reused, method), (name, end)
        assert fault == "refused" or on_reused[name] == reused, "the cell was not what it says"
        assert (fault, policy) not in TAKEN_FOR_WHOLE or end in (0, 200)  # curl's exit code, or the status


def test_on_the_articles_node_axios_hears_nothing_of_a_cut_body(targets):
    """Node 14's response has no error event for it: the promise stays pending, and nothing is tried again."""
    cells = [
        Cell("axios-retry-3", fault, False, "GET", targets.url_of(fault, False))
        for fault in ("closed", "truncated")
    ]
    closed, truncated = (cell.id for cell in cells)
    before = targets.came()[0]
    assert run_node_14(cells) == {closed: (4, "ECONNRESET socket hang up")}
    after = targets.came()[0]
    assert [after[name] - before[name] for name in (closed, truncated)] == [4, 1]


def test_nuxts_axios_module_passes_axios_retry_no_settings():
    """``retry: true`` is axios-retry with all of its own defaults."""
    node = program("node", shutil.which("node"))
    program("@nuxtjs/axios", str(MODULES / "@nuxtjs/axios"))
    words = [node, str(HERE / "nuxt_axios.cjs"), str(MODULES.parent)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert json.loads(said.stdout.splitlines()[-1]) == [{}]
