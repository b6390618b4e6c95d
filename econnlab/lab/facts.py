"""What is worth knowing of this machine when a run is read again."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import version

import econnlab
from econnlab.record.run import Facts

LIBRARIES = ("requests", "urllib3", "h11")


def gather_facts(began: float, *, own_namespace: bool = False) -> Facts:
    """The facts of a run that begins at ``began`` on the monotonic clock."""
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
    )
