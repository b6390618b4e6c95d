"""Error codes of the operating system, by name, number or message. They name no product."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = ""
ORDER = 90
HINTS = (
    "econn",
    "epipe",
    "etimedout",
    "ehost",
    "enet",
    "eaddr",
    "emfile",
    "eproto",
    "errno",
    "reset by peer",
    "connection reset",
    "broken pipe",
    "refused",
    "timed out",
    "no route",
    "unreachable",
    "assign requested",
    "too many open",
    "(104",
    "(111",
    "(110",
    "(32",
    "10054",
    "10053",
    "10060",
    "10061",
    "connection abort",
    "forcibly closed",
    "enotfound",
    "eai_again",
    "syscall",
)

#: Linux' number, Node's name, the C library's message (strerror), Windows' number.
_CODES = {
    "ECONNRESET": ("104", "connection reset by peer", "10054"),
    "EPIPE": ("32", "broken pipe", ""),
    "ECONNREFUSED": ("111", "connection refused", "10061"),
    "ETIMEDOUT": ("110", "connection timed out", "10060"),
    "ECONNABORTED": ("103", "software caused connection abort", "10053"),
    "EHOSTUNREACH": ("113", "no route to host", "10065"),
    "ENETUNREACH": ("101", "network is unreachable", "10051"),
    "EADDRNOTAVAIL": ("99", "cannot assign requested address", "10049"),
    "EMFILE": ("24", "too many open files", ""),
}
_NUMBERS = {
    number: name for name, (linux, _, windows) in _CODES.items() for number in (linux, windows) if number
}
_NUMBER = re.compile(
    r"(?:\berrno:? ?-?|\bWinError |Error\(|\(|os error |code: )(\d{2,5})\b(?=[\]):,]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_SYSCALL = re.compile(
    r"\bsyscall: ['\"](\w+)|\b(connect|read|write) E[A-Z]{4,}|\b(recv|send|writev|connect"
    r"|sendfile|SSL_read|SSL_write|SSL_do_handshake)\(\) (?:failed|to)"
)
_CALLS = {
    "recv": "read",
    "writev": "write",
    "send": "write",
    "sendfile": "write",
    "SSL_read": "read",
    "SSL_write": "write",
}


def read(text: str, lower: str) -> Found | None:
    """The codes with which the text says what the kernel did, and the call that got them."""
    tags: dict[str, str] = {}
    for name, (_, message, _) in _CODES.items():
        if message in lower or name.lower() in lower:
            tags[f"errno:{name}"] = ""
    for number in _NUMBER.findall(text):
        if number in _NUMBERS:
            tags.setdefault(f"errno:{_NUMBERS[number]}", f"error number {number} is {_NUMBERS[number]}")
    for call in _SYSCALL.finditer(text):
        name = call[1] or call[2] or call[3]
        tags[f"syscall:{_CALLS.get(name, name)}"] = f"the failed call is {name}"
    return Found("", tags) if tags else None
