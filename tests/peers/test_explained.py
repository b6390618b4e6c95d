"""``explain`` on what real programs say of connections that were made to fail: right product, right cause."""

import contextlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from econnlab.commands.explain.answer import NotUnderstood
from econnlab.commands.explain.explaining import explain
from tests.conftest import DEADLINE_S, wait_until
from tests.peers.conftest import HERE, MODULES, program
from tests.peers.servers import free_port
from tests.support.failing import RIGHT, failing

SAYING = HERE / "saying"
#: Who may be named for a program; TLS failures are OpenSSL's for all.
PRODUCTS = {
    "requests": "requests|urllib3|http.client",
    "urllib3": "urllib3|http.client",
    "urllib": "Python",
    "httpx": "httpx",
    "aiohttp": "aiohttp",
    "http": "Node",
    "fetch": "Node",
    "undici": "Node",
    "axios": "Node",
    "got": "Node",
    "node-fetch": "Node",
    "curl": "curl",
    "nginx": "nginx",
    "haproxy": "HAProxy",
}
#: Texts that cannot tell: a bare "socket hang up" after the own side's timeout has lost its stack.
BLIND = {("http", "silent", 1)}


@pytest.fixture(scope="module")
def urls():
    with failing() as running:
        yield running


def judged(heard):
    """(program, way, number) of each text that was not understood, or wrongly, and how many there were."""
    wrong, texts = [], 0
    for line in heard:
        for number, text in enumerate(line["said"]):
            texts += 1
            key = (line["program"], line["way"], number)
            answers = explain(text)
            if isinstance(answers, NotUnderstood):
                wrong.append((*key, "not understood", text[-200:]))
            elif not is_right(answers[0], line) and key not in BLIND:
                wrong.append((*key, answers[0].slug, answers[0].causes[:2], text[-200:]))
    return wrong, texts


def is_right(answer, line):
    product = f"{PRODUCTS[line['program']]}|OpenSSL|TLS|operating system"
    named = re.search(product, answer.product, re.IGNORECASE) is not None
    return named and bool(RIGHT[line["way"]] & set(answer.causes[:2]))


def said_by(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=4 * DEADLINE_S, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pythons_clients(urls):
    words = [sys.executable, str(SAYING / "python_clients.py"), json.dumps(list(urls.items()))]
    wrong, texts = judged(said_by(words))
    assert wrong == []
    assert texts >= 80


def test_nodes_clients(urls, node):
    words = [node, str(SAYING / "node_clients.cjs"), str(MODULES), json.dumps(list(urls.items()))]
    wrong, texts = judged(said_by(words))
    assert wrong == []
    assert texts >= 40


def test_curl(urls, curl):
    heard = []
    for way, url in urls.items():
        words = (
            [curl, "-sSk", "-m", "1", "-d", "x", url, url]
            if way == "second"
            else [curl, "-sSk", "-m", "1", "-d", "x", url]
        )
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        if done.returncode:
            heard.append({"program": "curl", "way": way, "said": [done.stderr.strip()]})
    wrong, texts = judged(heard)
    assert wrong == []
    assert texts >= 9


NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_read_timeout 1s;
    proxy_next_upstream off;
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""


def test_nginx(urls):
    nginx = program("nginx", found("nginx"))
    port = free_port()
    locations = "\n".join(f"location /{way}/ {{ proxy_pass {url}; }}" for way, url in urls.items())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        (Path(folder) / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, locations=locations))
        process = stack.enter_context(
            subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf", "-p", folder], stderr=subprocess.DEVNULL)
        )
        stack.callback(process.terminate)
        log = Path(folder) / "error.log"
        heard = proxied("nginx", port, urls, lambda: log.read_text() if log.exists() else "")
    wrong, texts = judged(heard)
    assert wrong == []
    assert texts >= 8


HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 3s
    timeout server 1s
    retries 0
frontend fe
    bind 127.0.0.1:{port}
    {rules}
{backends}
"""


def test_haproxy(urls):
    haproxy = program("haproxy", found("haproxy"))
    port = free_port()
    rules = "\n    ".join(f"use_backend {way} if {{ path_beg /{way}/ }}" for way in urls)
    backends = "\n".join(
        f"backend {way}\n    server s {urlsplit(url).netloc}" + " ssl verify none" * way.startswith("tls")
        for way, url in urls.items()
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        (Path(folder) / "haproxy.cfg").write_text(HAPROXY.format(port=port, rules=rules, backends=backends))
        output = stack.enter_context((Path(folder) / "log").open("w"))
        process = stack.enter_context(
            subprocess.Popen(
                [haproxy, "-db", "-f", f"{folder}/haproxy.cfg"], stdout=output, stderr=subprocess.DEVNULL
            )
        )
        stack.callback(process.terminate)
        log = Path(folder) / "log"
        heard = proxied("haproxy", port, urls, log.read_text)
    # HAProxy's flags for a handshake that failed are those of a connection refused: SC.
    wrong, texts = judged([line for line in heard if not line["way"].startswith("tls")])
    assert wrong == []
    assert texts >= 6


def proxied(name, port, urls, log):
    """The line that the proxy ``name`` logs of each way; of a connection used twice it keeps none here."""
    wait_until(lambda: listens(port), f"{name} to listen")
    heard = []
    for way in urls:
        if way == "second":
            continue
        before = len(log())
        asked(port, f"/{way}/")
        mark = f"POST /{way}/"
        wait_until(lambda: mark in log()[before:], f"{name} to log {way}")  # noqa: B023
        lines = [line for line in log()[before:].splitlines() if mark in line]
        heard.append({"program": name, "way": way, "said": lines[:1]})
    return heard


def found(name):
    """Where Debian puts servers a user's PATH does not lead."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def listens(port):
    with contextlib.suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        connection.connect()
        connection.close()
        return True
    return False


def asked(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", path, body="x")
        connection.getresponse().read()
    connection.close()
