"""The curl command over the client protocol: one curl per session asks for the same URL again.

``--rate`` makes it wait from the start of one transfer to the start of the next, in whole milliseconds, so
intervals are shorter by the time of a response (curl 7.84 and later). curl tells how long things took, not
when they were: times are as late as its line reached us.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Any

from protocol import VERSION, body_of, headers_of, report, say, wait_until

DAY_MS = 86_400_000
#: curl's own words for its exit codes (curl(1), EXIT CODES), by the number of each.
_ERRNO = {7: 111}


def _words(session: dict[str, Any], plan: dict[str, Any]) -> list[str]:
    """Each request is an operation of its own, so that it can have its own header; connections go on."""
    rate = f"{max(1, round(DAY_MS / session['interval_ms']))}/d"
    words = ["curl", "-q", "--rate", rate]
    for number in range(1, session["requests"] + 1):
        words += [*(["--next"] if number > 1 else []), *_operation(session, number, plan)]
    return words


def _operation(session: dict[str, Any], number: int, plan: dict[str, Any]) -> list[str]:
    words = ["-s", "-X", plan["method"], "-o", "/dev/null", "--noproxy", "*"]
    words += ["-w", "%{stderr}%{json}\n"]  # stdout would be buffered until curl ends
    words += ["--max-time", str(plan["timeout_ms"] / 1000)]
    if plan.get("retries"):
        words += ["--retry", str(plan["retries"])]
    for name, value in headers_of(plan, f"{session['session']}-{number}").items():
        words += ["-H", f"{name}: {value}"]
    if (body := body_of(plan)) is not None:
        words += ["--data-binary", body.decode()]
    return [*words, plan["url"]]


def _run(session: dict[str, Any], plan: dict[str, Any], begin: float) -> None:
    due = begin + session["start_s"]
    wait_until(due)
    with subprocess.Popen(
        _words(session, plan), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as curl:
        assert curl.stderr is not None
        for number, line in enumerate(curl.stderr, 1):
            told = json.loads(line)
            ended = _report(session, number, due, told)
            due = ended - told["time_total"] + session["interval_ms"] / 1000  # as --rate counts


def _report(session: dict[str, Any], number: int, due: float, told: dict[str, Any]) -> float:
    ended = time.monotonic()
    began = ended - told["time_total"]
    status = told["response_code"] or None
    error = None
    if told["exitcode"]:
        error = {
            "name": f"curl: ({told['exitcode']})",
            "message": told.get("errormsg") or "",
            "code": str(told["exitcode"]),
        }
        error["errno"] = _ERRNO.get(told["exitcode"])
    attempt = {
        "began": began,
        "sent": began + told["time_pretransfer"] if told["time_pretransfer"] else None,
        "first_byte": began + told["time_starttransfer"] if told["time_starttransfer"] and status else None,
        "ended": ended,
        "local": f"{told['local_ip']}:{told['local_port']}" if told.get("local_port") else None,
        "reused": not told["num_connects"],
        "status": status,
        "error": error,
    }
    return float(report(session, number, due, [attempt], status, None))


def _all(plan: dict[str, Any], begin: float) -> None:
    threads = [
        threading.Thread(target=_run, args=(session, plan, begin), daemon=True)
        for session in plan["sessions"]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say({"type": "done"})


def _main() -> None:
    version = subprocess.run(
        ["curl", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    plan: dict[str, Any] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["type"] == "plan":
            plan = order
            about = {"client": "curl", "client_version": version}
            say({"type": "ready", "version": VERSION, **about, "runtime": f"curl {version}"})
        elif order["type"] == "go":
            threading.Thread(target=_all, args=(plan, order["at"]), daemon=True).start()


if __name__ == "__main__":
    _main()
