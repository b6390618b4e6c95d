"""aiohttp over the client protocol: all sessions on one event loop, each with a connector of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import Any

import aiohttp
from protocol import SPIN_S, VERSION, Attempts, body_of, headers_of, report, say


class _Connector(aiohttp.TCPConnector):
    """Tells which local port a session's connection has, and whether it is new."""

    local: str | None = None
    fresh = False

    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        protocol = await super()._create_connection(*args, **kwargs)
        name = protocol.transport.get_extra_info("sockname") if protocol.transport is not None else None
        self.local, self.fresh = f"{name[0]}:{name[1]}" if name else None, True
        return protocol


async def _run(session: dict[str, Any], plan: dict[str, Any], begin: float) -> None:
    attempts, connector = Attempts(), _Connector(limit=1)
    hooks = aiohttp.TraceConfig()

    async def asked(*_: Any) -> None:  # aiohttp 3.10 and later try again by themselves on a reused connection
        attempt = attempts.begin()
        attempt["sent"], attempt["local"] = time.monotonic(), connector.local
        attempt["reused"], connector.fresh = not connector.fresh, False

    hooks.on_request_headers_sent.append(asked)
    timeout = aiohttp.ClientTimeout(total=plan["timeout_ms"] / 1000)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[hooks], timeout=timeout) as client:
        due = begin + session["start_s"]
        for number in range(1, session["requests"] + 1):
            await _until(due)
            status, error = None, None
            try:
                headers = headers_of(plan, f"{session['session']}-{number}")
                async with client.request(
                    plan["method"], plan["url"], headers=headers, data=body_of(plan)
                ) as answer:
                    attempts.current["first_byte"] = time.monotonic()
                    status = attempts.current["status"] = answer.status
                    await answer.read()
            except Exception as raised:
                error = raised
            due = report(session, number, due, attempts.take(), status, error) + session["interval_ms"] / 1000


async def _until(due: float) -> None:
    while (left := due - time.monotonic()) > 0:
        await asyncio.sleep(max(0.0, left - SPIN_S))


async def _all(plan: dict[str, Any], begin: float) -> None:
    await asyncio.gather(*(_run(session, plan, begin) for session in plan["sessions"]))
    say({"type": "done"})


def _main() -> None:
    plan: dict[str, Any] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["type"] == "plan":
            plan = order
            about = {"client": "aiohttp", "client_version": aiohttp.__version__}
            say({"type": "ready", "version": VERSION, **about, "runtime": f"python {sys.version.split()[0]}"})
        elif order["type"] == "go":
            threading.Thread(target=asyncio.run, args=(_all(plan, order["at"]),), daemon=True).start()


if __name__ == "__main__":
    _main()
