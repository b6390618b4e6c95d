"""urllib3: a PoolManager with one pooled connection."""

from __future__ import annotations

from urllib3 import PoolManager
from urllib3.util import Retry

from econnlab.client.idle_limit import limit_idle
from econnlab.client.observed import observe, tls_settings
from econnlab.client.observer import Observer
from econnlab.client.pooling import idle_limits
from econnlab.client.session import Body
from econnlab.client.trying import client_retries
from econnlab.scenario.client import ClientSpec

NAME = "urllib3"
HELP = "urllib3.PoolManager"
POOLED = True
TLS = True


class Urllib3Client:
    """A PoolManager that asks one URL."""

    def __init__(self, url: str, spec: ClientSpec, observer: Observer, trusted: str | None) -> None:
        self._pool = PoolManager(num_pools=1, maxsize=spec.pool_size, **tls_settings(url, trusted))
        observe(self._pool, observer, read_bodies=True)
        limit_idle(self._pool, idle_limits(spec))
        self._url = url
        self._method = spec.method
        # False, not the PoolManager's default of Retry(3), which would hide the failures.
        retries = client_retries(spec)
        self._retries: Retry | bool = Retry(retries) if retries else False

    def perform(self, headers: dict[str, str], body: Body, timeout_s: float) -> None:
        """Send the request and read the whole response."""
        self._pool.request(
            self._method,
            self._url,
            body=body,
            headers=headers,
            retries=self._retries,
            timeout=timeout_s,
            redirect=False,
            preload_content=False,  # the observed connection reads it
            release_conn=True,
        )

    def close(self) -> None:
        """Close the pool."""
        self._pool.clear()


open_client = Urllib3Client
