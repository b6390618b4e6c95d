"""A PHP warning, exception or trace."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "PHP error"
ORDER = 30
HINTS = (
    ".php",
    "php ",
    "curl error ",
    "guzzlehttp",
    "sqlstate[",
    "redisexception",
    "fsockopen",
    "stream_socket_client",
    "fwrite()",
    "fread()",
    "mysqli",
    "predis",
)

_SHOWN = re.compile(
    r"\bPHP (?:Warning|Fatal error|Notice|message)|\bcURL error \d+|\bin \S+\.php(?:\("
    r"| on line |:)\d+|#\d+ \S+\.php\(\d+\)|GuzzleHttp\\\\?\w+"
    r"|\bSQLSTATE\[\w+\]|\bRedisException\b|\b(?:fsockopen|stream_socket_client|fwrite|fread"
    r"|file_get_contents|mysqli_\w+|send|fgets)\(|Predis\\\\?\w+|mysqli_sql_exception"
    r"|PDOException"
)


def read(text: str, lower: str) -> Found | None:
    """What shows that PHP wrote it."""
    del lower
    shown = _SHOWN.search(text)
    return Found(f"{shown[0].rstrip('(')} is PHP's", {"php": ""}, "PHP") if shown else None
