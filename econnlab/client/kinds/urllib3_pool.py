"""urllib3: a PoolManager with one pooled connection."""

from __future__ import annotations

from urllib3 import PoolManager
from urllib3.util import Retry

from econnlab.client.observed import observe, tls_settings
from econnlab.client.observer import Observer
from econnlab.client.session import body_of, timeout_s
from econnlab.scenario.model import ClientSpec

NAME = "urllib3"
HELP = "urllib3.PoolManager"


class Urllib3Client:
    """A PoolManager that asks one URL."""

    def __init__(self, url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> None:
        self._pool = PoolManager(num_pools=1, maxsize=1, **tls_settings(url, trusted))
        observe(self._pool, observer)
        self._url = url
        self._method = spec.method
        self._body = body_of(spec)
        self._timeout = timeout_s(spec)
        # False, not the PoolManager's default of Retry(3), which would hide what the lab shows.
        self._retries: Retry | bool = Retry(spec.retries) if spec.retries else False

    def perform(self, headers: dict[str, str]) -> None:
        """Send it and read the whole response."""
        self._pool.request(
            self._method,
            self._url,
            body=self._body,
            headers=headers,
            retries=self._retries,
            timeout=self._timeout,
            redirect=False,
        )

    def close(self) -> None:
        """Close the pool."""
        self._pool.clear()


def open_client(url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> Urllib3Client:
    """A new pool, empty."""
    return Urllib3Client(url, spec, observer, trusted)
