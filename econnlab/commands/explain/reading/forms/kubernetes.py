"""Kubernetes: events, ``kubectl describe``, kubelet's and kubectl's own messages."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Kubernetes event or status"
ORDER = 12
HINTS = (
    "kube",
    "probe failed",
    "last state:",
    "oomkilled",
    "back-off restarting",
    "port forward",
    "unable to upgrade connection",
    "crashloopbackoff",
    "exit code:",
    "containerstatuses",
    "unhealthy",
    "http2: client connection lost",
    "lost connection to pod",
)

_SHOWN = re.compile(
    r"\b(?:Readiness|Liveness|Startup) probe (?:failed|errored)|Last State:\s|\bOOMKilled\b"
    r"|Back-off restarting failed|CrashLoopBackOff|unable to upgrade connection"
    r"|port ?forward\w*|\bkube(?:ctl|let|-proxy|-apiserver)\b|^Events:|lost connection to pod"
    r"|containerStatuses|The connection to the server \S+ was refused"
    r"|Unable to connect to the server:"
)


def read(text: str, lower: str) -> Found | None:
    """What shows that Kubernetes wrote it."""
    del lower
    shown = _SHOWN.search(text)
    return Found(f'"{shown[0].strip()}" is Kubernetes\'', {"kubernetes": ""}, "Kubernetes") if shown else None
