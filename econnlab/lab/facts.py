"""Facts about this machine that a record of a run keeps."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version

import econnlab
from econnlab.record.run import Facts, Ledger
from econnlab.system.clock import now

LIBRARIES = ("requests", "urllib3", "h11")


def gather_facts(
    began: float,
    *,
    own_namespace: bool = False,
    peers: Mapping[str, str] | None = None,
    server_ledger: Ledger | None = None,
) -> Facts:
    """The facts of a run that begins at ``began``, a time on the monotonic clock.

    ``peers`` are the versions of its real programs, ``server_ledger`` is what its server says of itself.
    """
    return Facts(
        started=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        began=began,
        kernel=f"{platform.system()} {platform.release()}",
        processors=os.cpu_count() or 1,
        versions={
            "econnlab": econnlab.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
            **(peers or {}),
        },
        own_namespace=own_namespace,
        epoch=_epoch(),
        server_ledger=server_ledger,
    )


def _epoch() -> float:
    """The Unix time at which the monotonic clock was 0, within some microseconds.

    It takes the fastest of several readings, because a busy machine may interrupt one.
    """
    readings = []
    for _ in range(10):
        before, wall, after = now(), time.time(), now()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]
