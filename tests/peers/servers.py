"""Real servers of one's own stack, each started with an idle timeout on a free port; ended with the stack."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import wait_until

HERE = Path(__file__).parent

_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout {timeout_ms}ms;
    keepalive_requests {requests};
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok\\n"; }} }}
}}
"""


def free_port() -> int:
    """One that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def start(
    stack: contextlib.ExitStack, words: list[str], port: int, environment: dict[str, str] | None = None
) -> str:
    """Start it, and wait until it takes connections; its URL."""
    # gunicorn puts a control socket into the home folder; older ones have no option against it.
    home = stack.enter_context(tempfile.TemporaryDirectory(prefix="econnlab-"))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = stack.enter_context(
        subprocess.Popen(words, **quiet, cwd=HERE, env={**os.environ, **(environment or {}), "HOME": home})
    )
    stack.callback(process.terminate)  # gunicorn ends its workers itself

    def listens() -> bool:
        assert process.poll() is None, f"{words[0]} ended with {process.returncode}"
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"{words[0]} to listen")
    return f"http://127.0.0.1:{port}/"


def node(stack: contextlib.ExitStack, program: str, keepalive_timeout_ms: int) -> str:
    """tests/peers/server.cjs."""
    words = [program, str(HERE / "server.cjs"), str(keepalive_timeout_ms)]
    process = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    assert process.stdout is not None
    return f"http://127.0.0.1:{process.stdout.readline().strip()}/"


def uvicorn(stack: contextlib.ExitStack, keepalive_timeout_s: int) -> str:
    """One worker, asyncio's own loop."""
    port = free_port()
    module = [sys.executable, "-m", "uvicorn", "application:asgi", "--lifespan", "off", "--loop", "asyncio"]
    options = ["--port", str(port), "--timeout-keep-alive", str(keepalive_timeout_s), "--log-level", "error"]
    return start(stack, [*module, *options], port)


def gunicorn(stack: contextlib.ExitStack, keepalive_s: int, held_up: Path) -> str:
    """One gthread worker, which bears witness in ``held_up``; the sync worker keeps no connections."""
    port = free_port()
    module = [sys.executable, "-m", "gunicorn", "application:wsgi", "-k", "gthread", "--threads", "4"]
    witness = {"HELD_UP": str(held_up)}
    options = ["-c", "held_up.py", "-b", f"127.0.0.1:{port}", "--keep-alive", str(keepalive_s)]
    return start(stack, [*module, *options], port, witness)


def nginx(
    stack: contextlib.ExitStack, program: str, folder: Path, keepalive_timeout_ms: int, requests: int = 1000
) -> str:
    """One process, all its files in ``folder``."""
    port = free_port()
    file = folder / "nginx.conf"
    values = {"folder": folder, "port": port, "timeout_ms": keepalive_timeout_ms, "requests": requests}
    file.write_text(_NGINX.format(**values))
    return start(stack, [program, "-p", str(folder), "-e", "stderr", "-c", str(file)], port)
