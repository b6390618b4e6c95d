"""A line of nginx's error log: phase, client, upstream."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "nginx error log line"
ORDER = 10
HINTS = ("while ", "nginx", "upstream", "[error]", "[crit]", "[info]", "[warn]", "[alert]")

_HEAD = re.compile(r"\[(?:error|crit|warn|alert|info|notice|emerg|debug)\] \d+#\d+: ?(?:\*\d+ )?")
_TAIL = re.compile(r", (?:client|upstream|server): [\"\w]")
_PHASE = re.compile(r" while ([a-z][a-z -]+?)(?=,|$|\n)")
_UPSTREAM = re.compile(r'upstream: "(?:(\w+)://)?(unix:)?([^"/]*)')


def read(text: str, lower: str) -> Found | None:
    """Phase and upstream decide who is meant: the client's side or the server behind."""
    del lower
    head = _HEAD.search(text)
    phase = _PHASE.search(text)
    if head is None and not (phase and _TAIL.search(text)):
        return None
    tags = {"nginx": ""}
    facts: dict[str, str] = {}
    if phase:
        tags[f"nginx:{phase[1]}"] = f"it happened while {phase[1]}"
        facts["phase"] = phase[1]
        if "client" in phase[1] or phase[1] in ("waiting for request", "keepalive"):
            tags["nginx:client-side"] = "that phase concerns nginx's client"
    upstream = _UPSTREAM.search(text)
    if upstream:
        facts["upstream"] = upstream[0][len('upstream: "') :]
        if upstream[1]:
            tags[f"upstream:{upstream[1]}"] = ""
        if upstream[2]:
            tags["upstream:unix"] = "the upstream is a unix socket: no network lies between"
    return Found("nginx writes its error log in this shape", tags, "nginx", facts)
