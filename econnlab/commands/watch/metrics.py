"""``--metrics``: the totals for Prometheus. The only module that imports prometheus_client."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING

from econnlab.cli.live import ServerReport
from econnlab.commands.watch.page import State
from econnlab.errors import EnvironmentProblem, UsageProblem

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_LOOPBACK = "127.0.0.1"
#: Counting what stands takes time from the capture.
_EVERY_S = 2.0
#: The server looks this often whether it is to end: Ctrl-C waits for it.
_LOOKS_UP_S = 0.05
#: Servers that are named; each makes some series.
_MOST_SERVERS = 200


class Metrics:
    """Serves on ``where``, a port or host and port, until it is left. Raises EnvironmentProblem."""

    def __init__(self, where: str) -> None:
        host, port = _place(where)
        try:
            import prometheus_client
        except ImportError as error:
            raise EnvironmentProblem(
                "--metrics needs prometheus-client.", "Install it: pip install 'econnlab[metrics]'."
            ) from error
        self._servers: tuple[ServerReport, ...] = ()
        self._packets = self._dropped = self._given_up = 0
        self._due = 0.0
        registry = prometheus_client.CollectorRegistry()
        registry.register(self)
        try:
            self._server = _server(host, port, prometheus_client.MetricsHandler.factory(registry))
        except OSError as error:
            raise EnvironmentProblem(
                f"Metrics cannot be served on {host}:{port}: {error.strerror}.", "Give another port."
            ) from error

        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOKS_UP_S,), name="econnlab-metrics", daemon=True
        )

    def __enter__(self) -> Metrics:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def update(self, state: State) -> None:
        """What is served from now on; another thread reads it, so it is replaced whole."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_S
        found = state.diagnosis
        self._packets, self._dropped = found.frames, state.dropped
        self._given_up = state.running.given_up
        self._servers = found.servers[:_MOST_SERVERS]

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client, from its own thread."""
        from prometheus_client.core import CounterMetricFamily

        for name, text, value in (
            ("packets", "Packets captured.", self._packets),
            ("dropped_packets", "Packets that the capture dropped.", self._dropped),
            ("unjudged_connections", "Connections given up to bound memory.", self._given_up),
        ):
            yield CounterMetricFamily(f"econnlab_{name}", text, value=value)
        connections = CounterMetricFamily("econnlab_connections", "Connections.", labels=["server"])
        requests = CounterMetricFamily("econnlab_requests", "Requests.", labels=["server"])
        lost = CounterMetricFamily(
            "econnlab_lost_requests", "Requests without a whole answer.", labels=["server"]
        )
        failures = CounterMetricFamily("econnlab_failures", "Failures by cause.", labels=["server", "cause"])
        for server in self._servers:
            connections.add_metric([server.address], server.connections)
            requests.add_metric([server.address], server.requests)
            lost.add_metric([server.address], server.lost)
            for cause, count in server.causes.items():
                failures.add_metric([server.address, cause], count)
        yield from (connections, requests, lost, failures)


def _server(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server((host, port), handler)


def _place(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageProblem(
            f"{where!r} is not a port for --metrics.", "Give one as 9464, or with the address, 0.0.0.0:9464."
        )
    return host.strip("[]") or _LOOPBACK, int(port)
