"""AWS Application Load Balancer: type, time, balancer, client, target, three times, two statuses.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

from econnlab.commands.explain.log.access import Access, Format
from econnlab.commands.explain.log.stamps import seconds_by

NAME = "alb"
HELP = "AWS Application Load Balancer"

_TYPES = frozenset(("http", "https", "h2", "grpcs", "ws", "wss"))
_FIELDS = 10
_WORST = "460"


def reader() -> Format:
    """The format."""
    seconds = seconds_by("%Y-%m-%dT%H:%M:%S", len("2026-11-28T03:00:37"))

    def read(line: str) -> Access | None:
        fields = line.split(" ", _FIELDS)
        if len(fields) <= _FIELDS or fields[0] not in _TYPES:
            return None
        _, when, _, _, target, waited, served, sent, status, answered, _ = fields
        ended = seconds(when)
        if target == "-":
            target = ""
        if status < _WORST and status != "-":
            return Access(_began(ended, waited, served, sent), ended, target, "", False)
        unsent, cut = served.startswith("-1"), sent.startswith("-1")
        kind = f"{status} {answered} {unsent} {cut} {bool(target)}"
        # A target that ends the connection leaves a 502 without a status of its own.
        lost = status == "502" and answered == "-" and bool(target)
        return Access(_began(ended, waited, served, sent), ended, target, kind, lost)

    return Format(NAME, read)


def _began(ended: float | None, *took: str) -> float | None:
    if ended is None:
        return None
    try:
        return ended - sum(max(0.0, float(each)) for each in took)
    except ValueError:
        return None
