"""``econnlab watch`` in a network of its own, with traffic beside it: the inside of tests/lab/test_watch.py.

Reads what to do as JSON from stdin, and prints what happened as JSON. Keys: ``watch`` (its options),
``traffic`` (a command of econnlab), ``until`` (text that is to stand in its output before Ctrl-C),
``metrics`` (a port that is asked before).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

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
        with out.open("wb") as stdout, err.open("wb") as stderr:
            watch = subprocess.Popen(
                [*_ECONNLAB, "watch", *asked["watch"]],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        try:
            found = _beside(watch, asked, out)
        finally:
            watch.kill()
            watch.wait()
        return {**found, "out": out.read_text(), "err": err.read_text()}


def _beside(watch: subprocess.Popen[bytes], asked: dict[str, Any], out: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    _wait(lambda: _listens() or watch.poll() is not None)
    if "traffic" in asked:
        subprocess.run([*_ECONNLAB, *asked["traffic"]], check=True, stdout=subprocess.DEVNULL)
    if "until" in asked:
        _wait(lambda: asked["until"] in out.read_text() or watch.poll() is not None)
    if "metrics" in asked:
        _wait(lambda: "cause=" in _metrics(asked["metrics"]))
        found["metrics"] = _metrics(asked["metrics"])
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
