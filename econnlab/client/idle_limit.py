"""An idle limit for urllib3's pools, which have none (urllib3#3184), for the lab and for any other program.

A pooled connection that has been idle for too long is closed when the pool takes it up, and a new one is
opened in its place, exactly as urllib3 does with a dropped connection. There is no thread and no timer.
"""

from __future__ import annotations

import logging
import math
import re
import weakref
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from urllib3 import PoolManager
from urllib3.connectionpool import HTTPConnectionPool

from econnlab.client.idle_clock import clock, idle_s
from econnlab.errors import UsageProblem

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from urllib3 import BaseHTTPResponse

_log = logging.getLogger(__name__)
_Manager = TypeVar("_Manager", bound=PoolManager)

#: ``timeout`` among the parameters of Keep-Alive (RFC 2068 section 19.7.1.1, and section 2 of
#: draft-thomson-hybi-http-timeout-03), separated by commas; some write semicolons.
_TIMEOUT = re.compile(
    r'(?:^|[,;])[ \t]*timeout[ \t]*=[ \t]*("?)([0-9]+(?:\.[0-9]+)?)\1[ \t]*(?=[,;]|$)', re.IGNORECASE
)
_LONGEST_HEADER = 256


@dataclass(frozen=True)
class IdleLimits:
    """How long a pooled connection may have been idle and still be reused. Durations in seconds.

    Raises UsageProblem for durations that are negative, infinite or not numbers.
    """

    #: None: no limit beyond what the server advertises. 0: no connection is used twice.
    idle_limit: float | None = None
    #: Obey ``Keep-Alive: timeout=N`` of responses: N less the margin, if that is below the limit.
    honour_keep_alive: bool = True
    #: If it leaves nothing of N, the connection is not reused, as in Node (lib/_http_agent.js,
    #: keepSocketAlive, whose margin is agentKeepAliveTimeoutBuffer, 1000 ms).
    keep_alive_margin: float = 1.0

    def __post_init__(self) -> None:
        if self.idle_limit is not None:
            _check(
                "idle_limit",
                self.idle_limit,
                "Give seconds, 0 to use no connection twice, None for no limit.",
            )
        _check("keep_alive_margin", self.keep_alive_margin, "Give seconds, 0 for no margin.")

    def allowed_s(self, advertised_s: float) -> float | None:
        """How long a connection may be idle if its server advertised ``advertised_s``; None: for ever."""
        if not self.honour_keep_alive:
            return self.idle_limit
        left = max(0.0, advertised_s - self.keep_alive_margin)
        return left if self.idle_limit is None else min(left, self.idle_limit)


def _check(name: str, duration: float, hint: str) -> None:
    if not isinstance(duration, int | float) or not math.isfinite(duration) or duration < 0:
        raise UsageProblem(f"{name}: expected a duration of 0 seconds or more, found {duration!r}.", hint)


@lru_cache(maxsize=128)
def advertised_timeout_s(keep_alive: str) -> float | None:
    """N of ``Keep-Alive: timeout=N``, in seconds; the least of several. None if there is no valid one."""
    if len(keep_alive) > _LONGEST_HEADER:
        return None
    return min((float(match[2]) for match in _TIMEOUT.finditer(keep_alive)), default=None)


def limit_idle(manager: _Manager, limits: IdleLimits) -> _Manager:
    """Make ``manager`` replace connections that have been idle for too long; returns ``manager``.

    It works on a PoolManager, a ProxyManager and a SOCKSProxyManager, whatever the classes of their pools and
    connections are, now or later. The manager's present pools are dropped. A second call changes the limits.
    Raises UsageProblem for anything else, such as a pool or a session, and leaves it alone.
    """
    if not isinstance(manager, PoolManager):
        raise UsageProblem(
            f"limit_idle: expected a urllib3.PoolManager, found {type(manager).__name__}.",
            "Give the manager that makes the pools; for requests, mount an IdleLimitAdapter.",
        )
    cast(Any, manager).__class__ = _derived(_LimitedManager, type(manager))
    cast(_LimitedManager, manager).idle_limits = limits
    manager.clear()
    return manager


class _LimitedManager(PoolManager):
    """Makes limited pools, in the method that urllib3 documents for that purpose (poolmanager.py)."""

    idle_limits: IdleLimits

    def _new_pool(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(*args, **kwargs)
        # Not through pool_classes_by_scheme: it may hold functions, and other code may replace its classes
        # later.
        cast(Any, pool).__class__ = _derived(_LimitedPool, type(pool))
        cast(_LimitedPool, pool).idle_limits = self.idle_limits
        return pool


class _Idleness:
    """What a pool knows of one open connection. The connection carries it, so only its holder touches it."""

    __slots__ = ("allowed_s", "response", "said", "since", "taken")

    def __init__(self, allowed_s: float | None) -> None:
        self.allowed_s = allowed_s
        #: The last Keep-Alive header; it is valid until another one comes on the same connection.
        self.said: str | None = None
        #: When the pool gave the connection out, and when it took it back.
        self.taken = self.since = -math.inf
        #: Its last response, if the connection is to be closed after it.
        self.response: weakref.ref[HTTPResponse] | None = None


class _LimitedPool(HTTPConnectionPool):
    """Checks each response, each connection that comes back, and each connection that goes out.

    Every request passes these three methods, so what is seldom needed is done elsewhere.
    """

    idle_limits: IdleLimits

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> BaseHTTPResponse:
        response = super()._make_request(conn, *args, **kwargs)
        idle: _Idleness | None = getattr(conn, "econnlab_idleness", None)
        if idle is None:
            idle = conn.econnlab_idleness = _Idleness(self.idle_limits.idle_limit)
        said = response.headers.get("Keep-Alive")
        if said is not None and said != idle.said:
            idle.said = said
            if (advertised_s := advertised_timeout_s(said)) is not None:
                idle.allowed_s = self.idle_limits.allowed_s(advertised_s)
        if idle.allowed_s == 0:
            idle.response = _original(response)
        return response

    def _put_conn(self, conn: Any) -> None:
        idle: _Idleness | None = getattr(conn, "econnlab_idleness", None)
        if idle is not None:
            idle.since = clock()
            if idle.response is not None and _is_read(idle.response):
                conn.close()  # else the server would keep it open
        super()._put_conn(conn)

    def _get_conn(self, timeout: float | None = None) -> Any:
        # urllib3 first checks whether it was dropped; in that check, the lab's connections wait for their due
        # time.
        conn: Any = super()._get_conn(timeout)
        idle: _Idleness | None = getattr(conn, "econnlab_idleness", None)
        if idle is not None and idle.allowed_s is not None:
            at = clock()
            # Given out so short a time ago, it cannot have been idle for longer.
            if at - idle.taken >= idle.allowed_s or conn.sock is None:
                self._look_at(conn, idle, idle.allowed_s)
            idle.taken = at
        return conn

    def _look_at(self, conn: Any, idle: _Idleness, allowed_s: float) -> None:
        if conn.sock is not None:
            idle_for_s = idle_s(conn.sock, idle.since)
            if idle_for_s < allowed_s:
                return
            _log.debug("Replacing a connection to %s, idle for %.3f s", self.host, idle_for_s)
            conn.close()
        conn.econnlab_idleness = None  # it described the closed connection


def _original(response: BaseHTTPResponse) -> weakref.ref[HTTPResponse] | None:
    original: HTTPResponse | None = getattr(response, "_original_response", None)
    return None if original is None else weakref.ref(original)


def _is_read(response: weakref.ref[HTTPResponse]) -> bool:
    """The response has been read to its end, or dropped."""
    original = response()
    return original is None or original.isclosed()


def _derived(addition: type, base: type) -> type:
    """A subclass of ``addition`` and ``base``."""
    return base if issubclass(base, addition) else cast(type, _derive(addition, cast(Any, base)))


@lru_cache(maxsize=64)
def _derive(addition: Any, base: Any) -> Any:
    # The old name stays, because urllib3's messages contain it.
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__}
    return type(base.__name__, (addition, base), names)
