"""One small application for every Python server: it answers "ok" and notes each request it carried out.

It runs inside the server's process and imports nothing of econnlab. ECONNLAB_LEDGER names the descriptor of
the pipe for its notes, a JSON line each. A line is shorter than PIPE_BUF, so processes do not mix theirs.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

_LEDGER = int(os.environ.get("ECONNLAB_LEDGER", "1"))
_DELAY_S = float(os.environ.get("ECONNLAB_RESPONSE_DELAY_S", "0"))
_BODY = b"ok\n"
_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"3")]


def _note(request_id: str | None, method: str, peer: str | None) -> None:
    line = {"at": time.monotonic(), "kind": "request", "id": request_id, "method": method, "peer": peer}
    os.write(_LEDGER, (json.dumps(line) + "\n").encode())


async def asgi(
    scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[dict[str, Any]], Any]
) -> None:
    """For uvicorn, hypercorn and other ASGI servers."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    headers = dict(scope["headers"])
    name = headers.get(b"x-econnlab-request")
    client = scope.get("client")
    _note(name.decode() if name else None, scope["method"], f"{client[0]}:{client[1]}" if client else None)
    if _DELAY_S:
        await asyncio.sleep(_DELAY_S)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """For gunicorn, waitress and other WSGI servers."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"].read(size)
    address = environ.get("REMOTE_ADDR")
    peer = f"{address}:{environ['REMOTE_PORT']}" if address and environ.get("REMOTE_PORT") else None
    _note(environ.get("HTTP_X_ECONNLAB_REQUEST"), environ["REQUEST_METHOD"], peer)
    if _DELAY_S:
        time.sleep(_DELAY_S)
    start_response("200 OK", [(name.decode(), value.decode()) for name, value in _HEADERS])
    return [_BODY]
