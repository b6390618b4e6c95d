"""requests' adapter with an idle limit."""

from __future__ import annotations

import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager

from econnlab.client.idle_limit import IdleLimits, limit_idle

#: Without it, a thread could use another thread's new manager for a proxy before it is limited.
_making_proxy_manager = threading.RLock()


class IdleLimitAdapter(HTTPAdapter):
    """An HTTPAdapter that replaces connections that have been idle for too long.

    ``idle_limit``, in seconds, holds for every connection; None means no limit. ``honour_keep_alive`` also
    obeys the server's ``Keep-Alive: timeout=N``, less ``keep_alive_margin`` seconds. The other arguments are
    HTTPAdapter's. Raises UsageProblem for durations that are negative, infinite or not numbers.

        session = requests.Session()
        session.mount("https://", IdleLimitAdapter(idle_limit=4))
    """

    #: What is pickled.
    __attrs__ = [*HTTPAdapter.__attrs__, "idle_limits"]  # noqa: RUF012

    def __init__(
        self,
        *args: Any,
        idle_limit: float | None = None,
        honour_keep_alive: bool = True,
        keep_alive_margin: float = 1.0,
        **kwargs: Any,
    ) -> None:
        self.idle_limits = IdleLimits(idle_limit, honour_keep_alive, keep_alive_margin)
        super().__init__(*args, **kwargs)

    @property
    def poolmanager(self) -> PoolManager:
        """HTTPAdapter's, with the limits, whichever class made it."""
        return self._limited_manager

    @poolmanager.setter
    def poolmanager(self, manager: PoolManager) -> None:
        # Not in init_poolmanager: adapters override it and make a manager themselves, as in requests'
        # documentation (Transport Adapters, Ssl3HttpAdapter) and in requests-toolbelt's SSLAdapter.
        known = isinstance(manager, PoolManager)  # else a test double
        self._limited_manager = limit_idle(manager, self.idle_limits) if known else manager

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """HTTPAdapter's, with the limits."""
        with _making_proxy_manager:
            known = self.proxy_manager.get(proxy)
            manager = super().proxy_manager_for(proxy, **proxy_kwargs)
            return manager if manager is known else limit_idle(manager, self.idle_limits)
