"""requests or urllib3, by the name in ECONNLAB_CLIENT, over the client protocol."""

from __future__ import annotations

import os
import time
from typing import Any

import urllib3
from protocol import Attempts, Client, body_of, drive
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool


def _watched(attempts: Attempts) -> type[HTTPConnectionPool]:
    """A pool whose connections tell ``attempts`` what they do."""

    class Connection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self._used = False
            self._say_local(attempts.current)

        def _say_local(self, attempt: dict[str, Any]) -> None:
            name = self.sock.getsockname() if self.sock is not None else None
            attempt["local"] = f"{name[0]}:{name[1]}" if name else attempt["local"]

        def endheaders(self, *args: Any, **kwargs: Any) -> None:
            attempt = attempts.begin()
            attempt["reused"] = self.sock is not None and getattr(self, "_used", False)
            if self.sock is not None:
                self._say_local(attempt)
            attempt["sent"] = time.monotonic()
            try:
                super().endheaders(*args, **kwargs)
                attempt["sent"] = attempt["sent"] if attempt["reused"] else time.monotonic()
            except Exception as error:
                _failed(attempt, error)
                raise

        def getresponse(self) -> Any:
            attempt = attempts.current
            try:
                response = super().getresponse()
            except Exception as error:
                _failed(attempt, error)
                raise
            attempt["first_byte"], attempt["status"] = time.monotonic(), response.status
            self._used = True
            return response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return Pool


def _failed(attempt: dict[str, Any], error: Exception) -> None:
    from protocol import described

    attempt["ended"], attempt["error"] = time.monotonic(), described(error)


class _Urllib3:
    def __init__(self, plan: dict[str, Any], attempts: Attempts) -> None:
        self._plan = plan
        self._pool = urllib3.PoolManager(maxsize=1, retries=plan.get("retries") or False)
        self._pool.pool_classes_by_scheme = {**self._pool.pool_classes_by_scheme, "http": _watched(attempts)}

    def ask(self, headers: dict[str, str]) -> int:
        plan = self._plan
        timeout = plan["timeout_ms"] / 1000
        answer = self._pool.request(
            plan["method"], plan["url"], headers=headers, body=body_of(plan), timeout=timeout
        )
        return answer.status

    def close(self) -> None:
        self._pool.clear()


class _Requests:
    def __init__(self, plan: dict[str, Any], attempts: Attempts) -> None:
        import requests

        self._plan = plan
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = requests.adapters.HTTPAdapter(max_retries=plan.get("retries") or 0)
        pools = adapter.poolmanager
        pools.pool_classes_by_scheme = {**pools.pool_classes_by_scheme, "http": _watched(attempts)}
        self._session.mount("http://", adapter)

    def ask(self, headers: dict[str, str]) -> int:
        plan = self._plan
        timeout = plan["timeout_ms"] / 1000
        answer = self._session.request(
            plan["method"], plan["url"], headers=headers, data=body_of(plan), timeout=timeout
        )
        return answer.status_code

    def close(self) -> None:
        self._session.close()


def _open(_: dict[str, Any], plan: dict[str, Any], attempts: Attempts) -> Client:
    return (_Requests if NAME == "requests" else _Urllib3)(plan, attempts)


if __name__ == "__main__":
    NAME = os.environ.get("ECONNLAB_CLIENT", "requests")
    drive(NAME, __import__(NAME).__version__, _open)
