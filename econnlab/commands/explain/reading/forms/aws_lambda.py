"""A function's log: processes there are frozen between two calls."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = ""
ORDER = 80
HINTS = (
    "requestid",
    "/var/task",
    "/var/runtime",
    "aws_lambda",
    "error\t",
    " error ",
    "task timed out",
    "lambda",
    "aws_execution_env",
)

_SHOWN = re.compile(
    r"^\d{4}-\d\d-\d\dT[\d:.]+Z\s+[0-9a-f-]{8,36}\s+(?:ERROR|WARN|INFO)\b|/var/(?:task"
    r"|runtime)/|\bRequestId: [0-9a-f-]{8,}|Task timed out after [\d.]+ seconds|AWS_LAMBDA_\w+",
    re.MULTILINE,
)


def read(text: str, lower: str) -> Found | None:
    """Lambda's line head or paths."""
    del lower
    if _SHOWN.search(text) is None:
        return None
    return Found(
        "", {"lambda": "the line is headed as in AWS Lambda's log, whose processes are frozen between calls"}
    )
