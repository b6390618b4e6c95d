"""A .NET stack trace or exception."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = ".NET exception"
ORDER = 29
HINTS = ("system.", "socketexception (", "httpioexception", "httprequestexception", "microsoft.")

_NAMED = re.compile(
    r"\b(?:System|Microsoft)(?:\.[A-Za-z]\w{0,60}){1,10}(?:Exception|Error)\b|\bHttp(?:IO"
    r"|Request)Exception\b|\bat System\.(?:Net|IO|Threading)\."
)
_CODE = re.compile(r"SocketException \(?(?:0x80004005|(\d+))\)?|\((10[01]\d\d)\)")


def read(text: str, lower: str) -> Found | None:
    """The exception, with the socket's error number where it is printed."""
    del lower
    named = _NAMED.search(text)
    if named is None:
        return None
    tags = {"dotnet": ""}
    code = _CODE.search(text)
    number = code and (code[1] or code[2])
    if number:
        tags[f"errno:{number}"] = f"SocketException {number}"
    return Found(
        f"{named[0].strip()[:120]} is .NET's", tags, ".NET", {"socket_error": number} if number else {}
    )
