"""What the kernel counts of TCP in this network namespace: Linux only, no privilege needed.

/proc/net/netstat and /proc/net/snmp (proc(5), Documentation/networking/snmp_counter.rst). Others on the
machine count in the same place, so outside a namespace of our own the figures are upper bounds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

_FILES = ("netstat", "snmp")
_GROUPS = ("TcpExt", "Tcp")


def read_counters() -> dict[str, int]:
    """Every counter of TCP by its name (``ListenOverflows``, ``OutRsts``); empty where there are none."""
    counters: dict[str, int] = {}
    for name in _FILES:
        # Of this thread: another one of the process may live in another namespace.
        with contextlib.suppress(OSError):
            counters.update(parse_counters(Path(f"/proc/thread-self/net/{name}").read_text()))
    return counters


def parse_counters(text: str) -> dict[str, int]:
    """The counters in ``text``: pairs of lines, first names then values, both led by the group's name."""
    counters: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, _, rest = names.partition(":")
        if group in _GROUPS:
            counters.update(zip(rest.split(), map(int, values.partition(":")[2].split()), strict=False))
    return counters


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What has gone up, and by how much."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value > before.get(name, 0)}
