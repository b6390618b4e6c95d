"""aiohttp as itself: cells as JSON on stdin, as originals.cjs takes them; one JSON line each on stdout."""

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any

import aiohttp

BODY = b"one order\n"


async def ask(cell: dict[str, Any]) -> None:
    """One cell: a session of its own with one connection, and the request under test."""
    tries = 0

    async def count(*_: Any) -> None:
        nonlocal tries
        tries += 1

    tracing = aiohttp.TraceConfig(trace_config_ctx_factory=lambda **_: SimpleNamespace())
    tracing.on_connection_create_start.append(count)
    tracing.on_connection_reuseconn.append(count)
    timeout = aiohttp.ClientTimeout(sock_read=cell["timeout"] / 1000)
    connector = aiohttp.TCPConnector(limit=1)
    line: dict[str, Any] = {"id": cell["id"]}
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, trace_configs=[tracing]
    ) as session:
        if cell["warm"]:
            async with session.get(cell["warm"], timeout=aiohttp.ClientTimeout()) as response:
                await response.read()
            tries = 0
        data = None if cell["method"] == "GET" else BODY
        headers = {"X-Econnlab-Request": cell["id"]}
        try:
            async with session.request(cell["method"], cell["url"], data=data, headers=headers) as response:
                await response.read()
                line["status"] = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            line["error"] = f"{type(error).__name__} {error}"
    print(json.dumps({**line, "tries": tries}))


async def main() -> None:
    """All cells at once."""
    await asyncio.gather(*map(ask, json.load(sys.stdin)))


asyncio.run(main())
