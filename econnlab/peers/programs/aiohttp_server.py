"""aiohttp.web: python aiohttp_server.py PORT [KEEPALIVE_S]."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from application import _DELAY_S, _note


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    _note(request.headers.get("X-Econnlab-Request"), request.method, f"{name[0]}:{name[1]}" if name else None)
    if _DELAY_S:
        await asyncio.sleep(_DELAY_S)
    return web.Response(text="ok\n")


def _main() -> None:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _answer)
    timeout = {"keepalive_timeout": float(sys.argv[2])} if len(sys.argv) > 2 else {}
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, **timeout)


if __name__ == "__main__":
    _main()
