"""httpx's Client over the client protocol; what it does is heard through httpcore's trace extension."""

from __future__ import annotations

import time
from typing import Any

import httpx
from protocol import Attempts, Client, body_of, drive


class _Httpx:
    def __init__(self, plan: dict[str, Any], attempts: Attempts) -> None:
        self._plan = plan
        self._attempts = attempts
        self._local: str | None = None
        transport = httpx.HTTPTransport(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            retries=plan.get("retries") or 0,
        )
        self._client = httpx.Client(transport=transport, timeout=plan["timeout_ms"] / 1000, trust_env=False)
        self._fresh = False

    def _hear(self, event: str, info: dict[str, Any]) -> None:
        attempt = self._attempts.current
        if event == "connection.connect_tcp.complete":
            name = info["return_value"].get_extra_info("client_addr")
            self._local, self._fresh = f"{name[0]}:{name[1]}", True
        elif event == "http11.send_request_headers.started":
            attempt["sent"], attempt["local"] = time.monotonic(), self._local
            attempt["reused"], self._fresh = not self._fresh, False
        elif event == "http11.receive_response_headers.complete":
            attempt["first_byte"], attempt["status"] = time.monotonic(), info["return_value"][1]

    def ask(self, headers: dict[str, str]) -> int:
        plan = self._plan
        self._attempts.begin()
        extensions = {"trace": self._hear}
        answer = self._client.request(
            plan["method"], plan["url"], headers=headers, content=body_of(plan), extensions=extensions
        )
        return answer.status_code

    def close(self) -> None:
        self._client.close()


def _open(_: dict[str, Any], plan: dict[str, Any], attempts: Attempts) -> Client:
    return _Httpx(plan, attempts)


if __name__ == "__main__":
    drive("httpx", httpx.__version__, _open)
