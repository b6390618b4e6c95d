"""``econnlab watch`` in a network of its own, with traffic beside it: the inside of tests/lab/test_watch.py.

Reads what to do as JSON from stdin, and prints what happened as JSON. Keys: ``watch`` (its options),
``traffic`` (a command of econnlab), ``until`` (text that is to stand in its output before Ctrl-C),
``metrics`` (a port that is asked before), ``keys`` (on a terminal: what is to stand there, and the key that
is pressed then), ``itself`` (it ends without Ctrl-C).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from econnlab.errors import EnvironmentProblem
from econnlab.lab.namespace import enter

_DEADLINE_S = 40.0
_ECONNLAB = [sys.executable, "-m", "econnlab"]


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Do it. The key ``cannot`` says why it was not possible."""
    try:
        enter({})
    except EnvironmentProblem as problem:
        return {"cannot": problem.message}
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr, _terminal("keys" in asked, out) as terminal:
            watch = subprocess.Popen(
                [*_ECONNLAB, "watch", *asked["watch"]],
                stdin=subprocess.DEVNULL if terminal is None else terminal.theirs,
                stdout=stdout if terminal is None else terminal.theirs,
                stderr=stderr,
                env={**os.environ, "TERM": "xterm"},
            )
            try:
                found = _beside(watch, asked, out, terminal)
            finally:
                watch.kill()
                watch.wait()
        return {**found, "out": out.read_text(errors="replace"), "err": err.read_text(errors="replace")}


class _Terminal(NamedTuple):
    """Both ends of a pseudo terminal."""

    ours: int
    theirs: int


@contextlib.contextmanager
def _terminal(wanted: bool, out: Path) -> Iterator[_Terminal | None]:
    """A terminal whose output goes to the file ``out``."""
    if not wanted:
        yield None
        return
    terminal = _Terminal(*pty.openpty())
    fcntl.ioctl(terminal.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 140, 0, 0))

    def copy() -> None:
        with out.open("ab", buffering=0) as stream, contextlib.suppress(OSError):
            while chunk := os.read(terminal.ours, 65536):
                stream.write(chunk)

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield terminal
    finally:
        os.close(terminal.theirs)
        thread.join()
        os.close(terminal.ours)


def _beside(
    watch: subprocess.Popen[bytes], asked: dict[str, Any], out: Path, terminal: _Terminal | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    _wait(lambda: _listens() or watch.poll() is not None)
    if "traffic" in asked:
        subprocess.run([*_ECONNLAB, *asked["traffic"]], check=True, stdout=subprocess.DEVNULL)
    if "until" in asked:
        _wait(lambda: asked["until"] in out.read_text(errors="replace") or watch.poll() is not None)
    if "metrics" in asked:
        _wait(lambda: "cause=" in _metrics(asked["metrics"]))
        found["metrics"] = _metrics(asked["metrics"])
    for text, key in asked.get("keys", ()):
        _wait(lambda text=text: text in out.read_text(errors="replace") or watch.poll() is not None)
        assert terminal is not None
        os.write(terminal.ours, key.encode())
    if asked.get("itself"):
        _wait(lambda: watch.poll() is not None)
    began = time.monotonic()
    watch.send_signal(signal.SIGINT)
    found["code"] = watch.wait(_DEADLINE_S)
    found["took"] = time.monotonic() - began
    found["left"] = _listens()
    return found


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _listens() -> bool:
    """A packet socket is open in this network."""
    return len(Path("/proc/net/packet").read_text().splitlines()) > 1


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.stdin.read()))))
