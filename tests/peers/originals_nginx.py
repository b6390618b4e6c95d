"""nginx as itself: cells asked through it, each with an upstream of its own that holds the server twice."""

import contextlib
import http.client
import itertools
from concurrent.futures import ThreadPoolExecutor

from econnlab.lab.listeners import bind
from econnlab.peers.peer import PeerProcess
from econnlab.peers.store import find_program
from tests.conftest import DEADLINE_S

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    add_header X-Tried $upstream_addr always;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    {upstreams}
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""
#: One more server to try, which fails alike.
UPSTREAM = "upstream u{n} {{ server {at} max_fails=0; server {at} max_fails=0; keepalive 4; }}"
LOCATION = "location = /{n} {{ proxy_pass http://u{n}/; proxy_read_timeout {timeout_ms}ms; }}"


def ask(cells):
    """By cell: how many servers nginx tried, and what it answered. Raises EnvironmentProblem."""
    program = find_program("nginx", "nginx-light")
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    nginx = PeerProcess("nginx", port, lambda folder: _command(program, folder, port, cells))
    try:
        nginx.wait_until_listening()
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(_ask_one, itertools.repeat(port), itertools.count(), cells)
            return dict(zip((cell.id for cell in cells), answers, strict=True))
    finally:
        nginx.stop()


def _command(program, folder, port, cells):
    places = [
        {"n": n, "at": cell.url[len("http://") : -1], "timeout_ms": cell.timeout_ms}
        for n, cell in enumerate(cells)
    ]
    (folder / "nginx.conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            upstreams="\n".join(UPSTREAM.format(**place) for place in places),
            locations="\n".join(LOCATION.format(**place) for place in places),
        )
    )
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def _ask_one(port, n, cell):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as client:
        if cell.reused:
            client.request("GET", f"/{n}")
            client.getresponse().read()
        body = None if cell.method == "GET" else b"one order\n"
        client.request(cell.method, f"/{n}", body, {"X-Econnlab-Request": cell.id})
        response = client.getresponse()
        with contextlib.suppress(http.client.IncompleteRead):
            response.read()
        return len(response.headers["X-Tried"].split(",")), response.status
