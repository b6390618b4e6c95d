"""A line of CloudFront's standard or real-time log."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "CloudFront log line"
ORDER = 3
HINTS = ("cloudfront", "origincomm", "originconn", "clientcomm", "originerror", "abortedorigin", "origindns")

_DETAIL = re.compile(
    r"\b(?:Origin\w*Error|ClientCommError|ClientGeoBlocked|AbortedOrigin|OriginDnsError"
    r"|OriginReadTimeout|OriginConnectError|OriginZeroSizeObjectError|OriginInterimDataError"
    r"|OriginContentRangeLengthError)\b"
)
_LINE = re.compile(r"^\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t[A-Z]{3}\d+", re.MULTILINE)


def read(text: str, lower: str) -> Found | None:
    """The detailed result type names the failure."""
    del lower
    detail = _DETAIL.search(text)
    line = _LINE.search(text)
    if detail is None and line is None:
        return None
    tags = {"cloudfront": ""} | (
        {f"cloudfront:{detail[0]}": f"detailed result {detail[0]}"} if detail else {}
    )
    return Found("CloudFront's log columns", tags, "AWS CloudFront", errors=detail is not None)
