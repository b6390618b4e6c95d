"""The kernel's TCP counters of this network namespace: Linux only, no privilege needed.

/proc/net/netstat and /proc/net/snmp (proc(5), Documentation/networking/snmp_counter.rst). Other programs
count there too, so outside a namespace of our own the figures are upper bounds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

_FILES = ("netstat", "snmp")
_GROUPS = ("TcpExt", "Tcp")


def read_counters() -> dict[str, int]:
    """Every TCP counter by its name (``ListenOverflows``, ``OutRsts``); empty without such files."""
    counters: dict[str, int] = {}
    for name in _FILES:
        # thread-self: another thread of the process may be in another namespace.
        with contextlib.suppress(OSError):
            counters.update(parse_counters(Path(f"/proc/thread-self/net/{name}").read_text()))
    return counters


def parse_counters(text: str) -> dict[str, int]:
    """The counters in ``text``: pairs of lines, names and values, each after the group's name."""
    counters: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, _, rest = names.partition(":")
        if group in _GROUPS:
            counters.update(zip(rest.split(), map(int, values.partition(":")[2].split()), strict=False))
    return counters


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The counters that have increased, and by how much."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value > before.get(name, 0)}
