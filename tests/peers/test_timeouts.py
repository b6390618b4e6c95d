"""The table of default timeouts, held against the Node that is installed."""

import json
import socket
import subprocess
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from econnlab.advice.product import Advertises, choose
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S

READ = """
const http = require("http"), agent = http.globalAgent;
const limit = agent.keepAlive ? agent.options.timeout : 0;
console.log(JSON.stringify([process.versions.node, http.createServer().keepAliveTimeout, limit]));
"""


@pytest.fixture(params=["node", "node14"])
def any_node(request):
    return request.getfixturevalue(request.param)


def read(node):
    done = subprocess.run([node, "-e", READ], capture_output=True, text=True, check=True, timeout=50)
    return json.loads(done.stdout)


def test_nodes_defaults_are_as_listed(any_node):
    version, closes, reuses = read(any_node)
    assert choose(f"node@{version}").release.closes == closes
    assert choose(f"node-agent@{version}").release.reuses == reuses


def test_nodes_hidden_second_and_its_header_are_as_listed(any_node, node_server):
    version, *_ = read(any_node)
    release = choose(f"node@{version}").release
    timeout, address = 100, address_of(node_server(any_node, 100))
    head, closed_after = idle_until_closed(address)
    for _ in range(2):
        if closed_after < timeout + release.later_ms + 500:
            break
        head, closed_after = idle_until_closed(address)  # the machine stalled: the time was not Node's alone
    assert (b"Keep-Alive: timeout=" in head) == (release.advertises is Advertises.YES)
    assert timeout + release.later_ms - 20 <= closed_after < timeout + release.later_ms + 500


def idle_until_closed(address):
    """A response's head, and how many ms after it the server closed the idle connection."""
    with socket.create_connection(address, timeout=DEADLINE_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head, answered = b"", now()
        while data := connection.recv(65536):
            head, answered = head + data, now()
        return head, (Decimal(now()) - Decimal(answered)) * 1000


def address_of(url):
    parts = urlsplit(url)
    return parts.hostname, parts.port
