"""requests' adapter with an idle limit."""

from __future__ import annotations

import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager

from econnlab.client.idle_limit import IdleLimits, limit_idle

#: Without it a thread could take up another thread's new manager for a proxy before that is limited.
_making_proxy_manager = threading.RLock()


class IdleLimitAdapter(HTTPAdapter):
    """An HTTPAdapter that takes up no connection again that has been idle for too long.

    ``idle_limit``, in seconds, is for every connection; None is no limit. ``honour_keep_alive`` heeds the
    server's ``Keep-Alive: timeout=N`` as well, less ``keep_alive_margin`` seconds. The other arguments are
    HTTPAdapter's. Raises UsageProblem for durations that are negative, infinite or no numbers.

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
        """HTTPAdapter's, with the limits, whoever made it."""
        return self._limited_manager

    @poolmanager.setter
    def poolmanager(self, manager: PoolManager) -> None:
        # Not in init_poolmanager: adapters replace that and make a manager themselves, as requests' own
        # documentation has it (Transport Adapters, Ssl3HttpAdapter), and requests-toolbelt's SSLAdapter does.
        known = isinstance(manager, PoolManager)  # else a stand-in, of a program's tests
        self._limited_manager = limit_idle(manager, self.idle_limits) if known else manager

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """HTTPAdapter's, with the limits."""
        with _making_proxy_manager:
            known = self.proxy_manager.get(proxy)
            manager = super().proxy_manager_for(proxy, **proxy_kwargs)
            return manager if manager is known else limit_idle(manager, self.idle_limits)
