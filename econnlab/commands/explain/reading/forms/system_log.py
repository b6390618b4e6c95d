"""Messages of systemd and of the Linux kernel."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "system log line"
ORDER = 9
HINTS = (
    "systemd",
    "main process exited",
    "oom",
    "out of memory",
    "nf_conntrack",
    "syn flooding",
    "kernel:",
    "failed with result",
    "dropping packet",
    "watchdog timeout",
)

_SYSTEMD = re.compile(
    r"\bsystemd(?:\[\d+\])?|Main process exited, code=|Failed with result '"
    r"|killed by the OOM killer|Watchdog timeout"
)
_KERNEL = re.compile(
    r"\bkernel:|nf_conntrack: |Possible SYN flooding|Out of memory: Kill|oom-kill:"
    r"|invoked oom-killer|TCP: (?:out of memory|too many orphaned)"
)


def read(text: str, lower: str) -> Found | None:
    """Which of the two."""
    del lower
    if _KERNEL.search(text):
        return Found("the Linux kernel's log", {"kernel": ""}, "Linux kernel")
    return Found("systemd's words", {"systemd": ""}, "systemd") if _SYSTEMD.search(text) else None
