"""requests: a Session with one pooled connection."""

from __future__ import annotations

import os
from typing import Any, cast

import requests
from urllib3.util import Retry

from econnlab.client.idle_adapter import IdleLimitAdapter
from econnlab.client.observed import observe, tls_settings
from econnlab.client.observer import Observer
from econnlab.client.pooling import idle_limits
from econnlab.client.session import CHUNK, Body, body_of
from econnlab.client.trying import client_retries
from econnlab.scenario.client import ClientSpec

NAME = "requests"
HELP = "requests.Session"
POOLED = True
TLS = True


class _ObservedAdapter(IdleLimitAdapter):
    """The adapter that users get, over observed connections; without limits it behaves as requests' own."""

    def __init__(self, url: str, observer: Observer, spec: ClientSpec, trusted: str | None) -> None:
        self._url = url
        self._trusted = trusted
        self._observer = observer
        retries = client_retries(spec)
        limits = idle_limits(spec)
        # Retry(0, read=False) is requests' own default (adapters.py): no retries at all.
        super().__init__(
            idle_limit=limits.idle_limit,
            honour_keep_alive=limits.honour_keep_alive,
            keep_alive_margin=limits.keep_alive_margin,
            pool_connections=1,
            pool_maxsize=spec.pool_size,
            max_retries=Retry(retries) if retries else Retry(0, read=False),
        )

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        settings: Any = {**kwargs, **tls_settings(self._url, self._trusted)}
        super().init_poolmanager(*args, **settings)
        observe(self.poolmanager, self._observer)


class RequestsClient:
    """A requests.Session that asks one URL."""

    def __init__(self, url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> None:
        self._session = requests.Session()
        # The environment's proxies would put another machine between the client and the server. Its
        # certificates are wanted, so the two variables that requests reads for them are read here.
        self._session.trust_env = False
        self._verify = (
            trusted or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )
        adapter = _ObservedAdapter(url, observer, spec, trusted)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._prepared = self._session.prepare_request(requests.Request(spec.method, url, data=body_of(spec)))

    def perform(self, headers: dict[str, str], body: Body, timeout_s: float) -> None:
        """Send the request and read the whole response."""
        self._prepared.headers.update(headers)
        if body is not None and not isinstance(body, bytes):
            self._prepared.headers.pop("Content-Length", None)
            self._prepared.headers["Transfer-Encoding"] = "chunked"
            self._prepared.body = cast(Any, body)
        # stream=True keeps the body out of memory; requests would read it with the same iter_content.
        with self._session.send(
            self._prepared, timeout=timeout_s, verify=self._verify, allow_redirects=False, stream=True
        ) as response:
            for _ in response.iter_content(CHUNK):
                pass

    def close(self) -> None:
        """Close the session's pool."""
        self._session.close()


open_client = RequestsClient
