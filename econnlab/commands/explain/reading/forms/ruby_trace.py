"""A Ruby exception or backtrace."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Ruby exception"
ORDER = 30
HINTS = (
    ".rb:",
    "errno::",
    "net::",
    "faraday::",
    "(eoferror)",
    "openssl::",
    "redis::",
    "pg::",
    "mysql2::",
    "typhoeus",
    "excon::",
    "http::",
)

_SHOWN = re.compile(
    r"\.rb:\d+:in [`']|\bErrno::E[A-Z]+\b|\bNet::(?:Read|Open|Write)Timeout|\bNet::HTTP\w*"
    r"|\bFaraday::\w+|\(EOFError\)|\bOpenSSL::SSL::SSLError"
    r"|\bRedis(?:Client)?::\w+|\bPG::\w+|\bMysql2::Error\w*|\bExcon::\w+|\bHTTP::\w+Error"
    r"|\bMongo::Error\S*|\bRestClient::\w+|\bHTTPX::\w+"
)


def read(text: str, lower: str) -> Found | None:
    """What shows that Ruby wrote it."""
    del lower
    shown = _SHOWN.search(text)
    return Found(f"{shown[0]} is Ruby's", {"ruby": ""}, "Ruby") if shown else None
