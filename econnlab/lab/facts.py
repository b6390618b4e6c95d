"""Facts about this machine that a record of a run keeps."""

from __future__ import annotations

import datetime
import os
import platform
import time
from importlib.metadata import version

import econnlab
from econnlab.record.run import Facts
from econnlab.system.clock import now

LIBRARIES = ("requests", "urllib3", "h11")


def gather_facts(began: float, *, own_namespace: bool = False) -> Facts:
    """The facts of a run that begins at ``began``, a time on the monotonic clock."""
    return Facts(
        started=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        began=began,
        kernel=f"{platform.system()} {platform.release()}",
        processors=os.cpu_count() or 1,
        versions={
            "econnlab": econnlab.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        own_namespace=own_namespace,
        epoch=_epoch(),
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
