"""An error of Go: its wrapping ``op net a->b: cause``, ``Get "URL": cause``, frames of goroutines."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Go error"
ORDER = 32
HINTS = (
    "/",
    "tcp",
    "unix",
    "net/http",
    "http:",
    "http2:",
    "rpc error",
    "goroutine",
    ".go:",
    "://",
    "x509:",
    "tls:",
)

_NET = re.compile(r"\b(dial|read|write|accept|listen)(?:ing)? (?:tcp|udp|unix)[46]? \S+?:? ?")
_VERB = re.compile(r"\b(?:Get|Post|Put|Head|Patch|Delete|Options)\b \\?\"?(?:https?|unix)://[^\s\"]+\"?: ")
_OTHER = re.compile(
    r"\bnet/http: |\bhttp2?: (?:server|Transport|TLS|response|superfluous|Request|Accept|proxy"
    r"|abort|panic|client)|\brpc error: code = |\bgoroutine \d+ \[|\w{1,80}\.go:\d+"
    r"|transport connection broken|\bx509: "
)
_LOG = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?!\[)")


def read(text: str, lower: str) -> Found | None:
    """What shows that Go wrote it, and which call failed."""
    del lower
    tags = {"go": ""}
    net, verb, other = _NET.search(text), _VERB.search(text), _OTHER.search(text)
    # "Connection to tcp ..." of others has no colon behind the addresses.
    if net is not None and not re.match(r"[^\n]{0,120}?: ", text[net.start() :]):
        net = None
    shown = verb or other or net
    if shown is None and _LOG.match(text):
        return Found("Go's log package writes its time so", tags)
    if shown is None:
        return None
    if net is not None:
        tags[f"syscall:{net[1]}"] = f"Go failed in {net[1]}"
    return Found(f'"{shown[0].strip()[:80]}" is how Go words it', tags, "Go")
