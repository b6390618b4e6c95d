"""Frames of Node.js, or the properties that Node prints behind an error."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Node.js stack trace"
ORDER = 30
HINTS = ("node:", ".js:", ".mjs:", ".cjs:", ".ts:", "code: '", 'code: "', "node_modules", "syscall: '")

_FRAME = re.compile(
    r"\bat (?:async )?(?:new )?(?:[\w$.<>]{1,100}\.)?([\w$<>]{1,60})[^\n(]{0,100}\((?:node:|file:|internal/|/"
    r"|\w:)?[^\n()]{0,300}:\d+:\d+\)"
)
_JS = re.compile(
    r"(?:^|[\s(/])(?:node:[\w/]+|(?:internal/[\w/]+|_[\w]+|events|net)\.js"
    r"|[^\s()]{1,200}\.[cm]?[jt]sx?):\d+(?::\d+)?"
)
_PROPERTY = re.compile(
    r"^\s*(?:code|errno|syscall): (?:'\w+'|\"\w+\"|-?\d+),?\s*$|[{,] ?(?:code|syscall): '\w+'", re.MULTILINE
)
_SCRIPT_OF_A_PAGE = re.compile(r"https?://[^\s)]+\.js:\d+:\d+")
#: Who calls decides who ended the connection; measured on Node 20 for HTTP and TLS.
_TELLING = {
    "socketOnEnd": "frame socketOnEnd: the peer's FIN came before the response",
    "socketCloseListener": "frame socketCloseListener: the own side destroyed the socket (its timeout, an "
    "abort); socketOnEnd would be the peer's FIN",
    "onConnectEnd": "frame onConnectEnd: the peer's FIN came inside the TLS handshake",
    "onStreamRead": "frame onStreamRead: the kernel reported an error while Node was reading",
    "afterConnect": "frame afterConnect: the connection was never established",
    "afterConnectMultiple": "frame afterConnectMultiple: none of the addresses accepted a connection",
    "abortIncoming": "frame abortIncoming: a server's request whose client went away",
    "onParserTimeout": "frame onParserTimeout: Node's own request timeout",
    "onTimeout": "frame onTimeout: a timer of the own process fired",
    "onReadableStreamEnd": "frame onReadableStreamEnd: the peer's FIN came",
}


def read(text: str, lower: str) -> Found | None:
    """Node's frames with what they tell, or an error's printed properties."""
    if _SCRIPT_OF_A_PAGE.search(text) and "node:" not in text:
        return None
    stack = _JS.search(text) is not None
    if not stack and _PROPERTY.search(text) is None:
        return None
    tags = {"node": ""}
    for name in dict.fromkeys(_FRAME.findall(text)):
        if name in _TELLING:
            tags[f"frame:{name}"] = _TELLING[name]
    if "TLSSocket" in text or "TLSWrap" in text or "_tls_wrap" in text:
        tags["tls"] = "frames of TLSSocket: over TLS"
    age = _age(text)
    if age:
        tags["node:" + ("old" if age.endswith("earlier") else "new")] = ""
    return Found(_why(stack, age), tags, "Node.js", {"runtime": age} if age else {})


def _age(text: str) -> str:
    if "node:internal" in text or "(node:" in text or "at node:" in text:
        return "Node 16 or later"
    return (
        "Node 14 or earlier"
        if re.search(r"[( ](?:internal/[\w/]+|_http_\w+|_tls_wrap|net|events)\.js:\d+", text)
        else ""
    )


def _why(stack: bool, age: str) -> str:
    if not stack:
        return "the properties code, errno or syscall are printed as Node prints them"
    return f"frames of Node.js ({age})" if age else "frames in JavaScript files"
