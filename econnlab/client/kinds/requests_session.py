"""requests: a Session with one pooled connection."""

from __future__ import annotations

import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from econnlab.client.observed import observe, tls_settings
from econnlab.client.observer import Observer
from econnlab.client.session import body_of, timeout_s
from econnlab.scenario.model import ClientSpec

NAME = "requests"
HELP = "requests.Session"


class _ObservedAdapter(HTTPAdapter):
    """requests' own adapter over observed connections."""

    def __init__(self, url: str, observer: Observer, retries: int, trusted: str | None) -> None:
        self._url = url
        self._trusted = trusted
        self._observer = observer
        # Retry(0, read=False) is requests' own default (adapters.py): none at all.
        super().__init__(
            pool_connections=1,
            pool_maxsize=1,
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
        # The environment's proxies and netrc would put another machine between the client and the server;
        # its certificates are what requests would take from it and the lab wants.
        self._session.trust_env = False
        self._verify = (
            trusted or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )
        adapter = _ObservedAdapter(url, observer, spec.retries, trusted)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._prepared = self._session.prepare_request(requests.Request(spec.method, url, data=body_of(spec)))
        self._timeout = timeout_s(spec)

    def perform(self, headers: dict[str, str]) -> None:
        """Send it and read the whole response."""
        self._prepared.headers.update(headers)
        self._session.send(self._prepared, timeout=self._timeout, verify=self._verify, allow_redirects=False)

    def close(self) -> None:
        """Close the session's pool."""
        self._session.close()


def open_client(url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> RequestsClient:
    """A new session with an empty pool."""
    return RequestsClient(url, spec, observer, trusted)
