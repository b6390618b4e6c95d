"""A line of HAProxy's log: two or four flags, timers, status."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "HAProxy log line"
ORDER = 5
HINTS = ("/", "haproxy", "server ")

_HTTP = re.compile(
    r"(?P<client>[\da-fA-F.:]+):\d+ \[[^\]]+\] (?P<frontend>\S+) (?P<backend>\S+)/(?P<server>\S+) "
    r"(?P<timers>\+?-?\d+(?:/\+?-?\d+){4}) (?P<status>-?\d+) \+?\d+ \S+ \S+ (?P<flags>[\w-]{4}) "
)
_TCP = re.compile(
    r"(?P<client>[\da-fA-F.:]+):\d+ \[[^\]]+\] (?P<frontend>\S+) (?P<backend>\S+)/(?P<server>\S+) "
    r"(?P<timers>\+?-?\d+(?:/\+?-?\d+){2}) \+?\d+ (?P<flags>[\w-]{2}) "
)
_EVENT = re.compile(
    r"Server (\S+)/(\S+) is (?:going )?(DOWN|UP)|backend (\S+) has no server available"
    r"|\b\S{1,80}/\d+: (?:Connection closed|Timeout|SSL handshake failure)"
)
#: doc/configuration.txt, section 8.5: the first letter is the event that ended it, the second the state then.
_WHO = {
    "C": "the client ended it",
    "S": "the server ended or refused it",
    "P": "HAProxy ended it itself",
    "L": "HAProxy answered it itself",
    "R": "a resource of HAProxy was exhausted",
    "I": "an internal error of HAProxy",
    "D": "the server was marked down",
    "K": "an administrator ended it",
    "c": "the client's time ran out",
    "s": "the server's time ran out",
    "-": "it ended normally",
}
_STATE = {
    "R": "the request had not come whole",
    "Q": "it waited in the queue",
    "C": "HAProxy was connecting to the server",
    "H": "HAProxy waited for the response's head",
    "D": "data were being passed",
    "L": "the last data were being sent",
    "T": "the request was held (tarpit)",
    "-": "nothing was under way",
}


def read(text: str, lower: str) -> Found | None:
    """The flags taken apart; a line that ended with ``--`` reports no failure of a connection."""
    line = _HTTP.search(text) or _TCP.search(text)
    if line is None:
        event = (
            _EVENT.search(text)
            if "haproxy" in lower or "server " in lower or "has no server" in lower
            else None
        )
        return (
            None
            if event is None
            else Found("HAProxy words its events so", {"haproxy": "", "haproxy:event": ""}, "HAProxy")
        )
    flags = line["flags"]
    status = line.groupdict().get("status", "")
    meaning = f"flags {flags}: {_WHO.get(flags[0], 'not known')}; {_STATE.get(flags[1], 'not known')}"
    tags = {"haproxy": "", f"haproxy:{flags[:2]}": meaning, f"haproxy:{flags[0]}*": ""}
    if status:
        tags[f"status:{status}"] = f"the status is {status}"
    facts = {
        "flags": flags,
        "backend": line["backend"],
        "server": line["server"],
        "timers_ms": line["timers"],
    }
    healthy = flags[:2] == "--" and not status.startswith("5")
    return Found("HAProxy's log format, with its flags", tags, "HAProxy", facts, errors=not healthy)
