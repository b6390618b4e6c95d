"""A Java stack trace, or the full name of a Java exception."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Java stack trace"
ORDER = 30
HINTS = (".java:", ".kt:", "exception", "native method", "caused by:", "java.", "javax.")

_FRAME = re.compile(
    r"\bat (?:[\w.$-]+/)?[\w.$<>]+\((?:\w+\.(?:java|kt|scala):\d+|Native Method|Unknown Source)\)"
)
_EXCEPTION = re.compile(
    r"\b(?:java|javax|jakarta|org|com|io|reactor|feign|okhttp3|kotlin|sun|net|akka|scala"
    r"|redis\.clients)\.[\w.$]{0,150}[A-Z][\w$]{0,80}(?:Exception|Error)\b"
)
_NAKED = re.compile(
    r"\b(?:NoHttpResponse|ClientAbort|ConnectionClosed|PrematureClose|CommunicationsException|SocketTimeout"
    r"|ConnectTimeout|HttpTimeout|HttpHostConnect|SSLHandshake|StatusRuntime|ResourceAccess"
    r"|PSQL)(?:Exception)?\b"
)


def read(text: str, lower: str) -> Found | None:
    """Frames first, else an exception's full name."""
    del lower
    if _FRAME.search(text):
        return Found("frames of Java", {"java": ""}, "Java")
    named = _EXCEPTION.search(text) or _NAKED.search(text)
    return Found(f"the exception {named[0][:120]} is Java's", {"java": ""}, "Java") if named else None
