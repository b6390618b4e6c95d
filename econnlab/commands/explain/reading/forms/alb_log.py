"""A line of the access log of an AWS Application Load Balancer: three times, two statuses."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "ALB access log line"
ORDER = 3
HINTS = ("http ", "https ", "h2 ", "grpcs ", "ws ", "wss ")

_LINE = re.compile(
    r"(?:^|\s)(?:https?|h2|grpcs?"
    r"|wss?) \d{4}-\d\d-\d\dT[\d:.]+Z (?P<elb>\S+) (?P<client>\S+) (?P<target>\S+) "
    r"(?P<request>-?[\d.]+) (?P<wait>-?[\d.]+) (?P<response>-?[\d.]+) (?P<status>\d{3}"
    r"|-) (?P<answered>\d{3}|-) "
)
_WORST = 460


def read(text: str, lower: str) -> Found | None:
    """The times, of which -1 means that this part was never reached, and both statuses."""
    del lower
    line = _LINE.search(text)
    if line is None:
        return None
    status, answered = line["status"], line["answered"]
    tags = {
        "alb": "",
        f"alb:{status}": f"the balancer answered {status}, the target {answered.replace('-', 'nothing')}",
    }
    if answered == "-":
        tags["alb:unanswered"] = ""
    if answered == "-" and line["response"].startswith("-1"):
        sent = not line["wait"].startswith("-1")
        tags["alb:sent" if sent else "alb:not-sent"] = (
            f"response_processing_time -1 and target_processing_time {line['wait']}: "
            + (
                "the target had the request and ended the connection"
                if sent
                else "no answer, or no connection to the target"
            )
        )
    if line["target"] == "-":
        tags["alb:no-target"] = "no target was chosen"
    facts = {"target": line["target"], "status": status, "target_status": answered,
             "times": f"{line['request']} {line['wait']} {line['response']}"}  # fmt: skip
    healthy = status.isdigit() and int(status) < _WORST
    return Found(
        "an ALB's access log: three times and two statuses",
        tags,
        "AWS Application Load Balancer (ALB)",
        facts,
        errors=not healthy,
    )
