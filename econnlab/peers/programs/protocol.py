"""The client protocol of econnlab for Python clients: JSON Lines on stdin and stdout.

docs/client-protocol.md describes it.

A program of its own: it imports nothing of econnlab, since it may run under another Python or another
version of a library. ``time.monotonic`` reads CLOCK_MONOTONIC, the clock that the lab uses.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

VERSION = 1
#: time.sleep wakes up late; the last stretch is spent asking the clock.
SPIN_S = 0.001

_OUT = threading.Lock()


class Client(Protocol):
    """One session's client, with its own pool."""

    def ask(self, headers: dict[str, str]) -> int:
        """Send one request, read the response to its end, and return its status; may raise."""

    def close(self) -> None:
        """Close the pool."""


class Attempts:
    """The attempts of one session. The client's hooks begin one and fill it in."""

    def __init__(self) -> None:
        self._all: list[dict[str, Any]] = []

    def begin(self) -> dict[str, Any]:
        """A new attempt begins now."""
        attempt = {"began": time.monotonic(), "sent": None, "first_byte": None, "ended": None}
        attempt |= {"local": None, "reused": False, "status": None, "error": None}
        self._all.append(attempt)
        return attempt

    @property
    def current(self) -> dict[str, Any]:
        """The attempt in progress, or a new one."""
        if not self._all or self._all[-1]["ended"] is not None:
            return self.begin()
        return self._all[-1]

    def take(self) -> list[dict[str, Any]]:
        """All attempts of the request that has ended."""
        taken, self._all = self._all, []
        return taken


def say(line: dict[str, Any]) -> None:
    """Write one line."""
    with _OUT:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def wait_until(due: float) -> None:
    """Return at ``due`` on the shared clock."""
    while (left := due - time.monotonic()) > 0:
        if left > SPIN_S:
            time.sleep(left - SPIN_S)


def described(error: BaseException | None, depth: int = 0) -> dict[str, Any] | None:
    """What ``error`` says of itself, with the error that it names as its cause."""
    if error is None:
        return None
    inner = error.__cause__ or error.__context__ or _wrapped(error)
    code = getattr(error, "errno", None)
    return {
        "name": type(error).__name__,
        "message": str(error)[:500],
        "errno": code if isinstance(code, int) else None,
        "cause": described(inner, depth + 1) if depth < 6 and inner is not error else None,
    }


def _wrapped(error: BaseException) -> BaseException | None:
    """urllib3 and requests carry the error they met as an argument or as ``reason``."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return inner
    return next((each for each in error.args if isinstance(each, BaseException)), None)


def body_of(plan: dict[str, Any]) -> bytes | None:
    """The body that the plan asks for."""
    size = plan.get("body_size") or 0
    return (b"one order\n" * (size // 10 + 1))[:size] if size else None


def headers_of(plan: dict[str, Any], request_id: str) -> dict[str, str]:
    """The headers of one request."""
    headers = {**plan.get("headers", {}), "X-Econnlab-Request": request_id}
    if plan.get("idempotency_key"):
        headers["Idempotency-Key"] = request_id
    return headers


def report(
    session: dict[str, Any],
    number: int,
    due: float,
    attempts: list[dict[str, Any]],
    status: int | None,
    error: BaseException | None,
) -> float:
    """Write a line per attempt of one request that has ended now; returns when that was."""
    ended = time.monotonic()
    if not attempts:
        empty = Attempts()
        empty.begin()["began"] = due
        attempts = empty.take()
    last = attempts[-1]
    if error is not None:
        last["error"] = described(error)
    elif last["status"] is None:
        last["status"] = status
    for index, attempt in enumerate(attempts, 1):
        where = {"session": session["session"], "request": number, "id": f"{session['session']}-{number}"}
        attempt["ended"] = attempt["ended"] or ended
        say({"type": "attempt", **where, "due": due, "attempt": index, "last": attempt is last, **attempt})
    return ended


@dataclass(frozen=True)
class _Open:
    """A session with its client, opened before the run begins: to make one can take a library 100 ms."""

    session: dict[str, Any]
    attempts: Attempts
    client: Client


def _run(session: dict[str, Any], plan: dict[str, Any], begin: float, opened: _Open) -> None:
    attempts, client = opened.attempts, opened.client
    due = begin + session["start_s"]
    for number in range(1, session["requests"] + 1):
        wait_until(due)
        status, error = None, None
        try:
            status = client.ask(headers_of(plan, f"{session['session']}-{number}"))
        except Exception as raised:
            error = raised
        due = report(session, number, due, attempts.take(), status, error) + session["interval_ms"] / 1000
    client.close()


def drive(
    client: str, version: str, open_client: Callable[[dict[str, Any], dict[str, Any], Attempts], Client]
) -> None:
    """Speak the protocol. ``open_client(session, plan, attempts)`` makes a session's client.

    Each session has a thread of its own.
    """
    plan: dict[str, Any] = {}
    opened: list[_Open] = []
    for line in sys.stdin:
        order = json.loads(line)
        if order["type"] == "plan":
            plan = order
            for session in plan["sessions"]:
                attempts = Attempts()
                opened.append(_Open(session, attempts, open_client(session, plan, attempts)))
            runtime = f"python {sys.version.split()[0]}"
            say(
                {
                    "type": "ready",
                    "version": VERSION,
                    "client": client,
                    "client_version": version,
                    "runtime": runtime,
                }
            )
        elif order["type"] == "go":
            threading.Thread(target=_all, args=(plan, order["at"], opened), daemon=True).start()


def _all(plan: dict[str, Any], begin: float, opened: list[_Open]) -> None:
    threads = [
        threading.Thread(target=_run, args=(each.session, plan, begin, each), daemon=True) for each in opened
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say({"type": "done"})
