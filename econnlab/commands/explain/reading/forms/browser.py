"""What a browser shows, on its page or its console."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "browser's error"
ORDER = 28
HINTS = (
    "err_",
    "ns_error_",
    "pr_",
    "nsurlerror",
    "kcferror",
    "safari",
    "site can",
    "failed to fetch",
    "networkerror when",
    "load failed",
    "secure connection failed",
    "cfnetwork",
    "the network connection was lost",
)

_CHROME = re.compile(
    r"\bnet::ERR_\w+|\bERR_(?:CONNECTION|EMPTY|TIMED|SSL|HTTP2|QUIC|NETWORK|NAME"
    r"|CONTENT_LENGTH|INCOMPLETE|INVALID|SOCKET|ADDRESS|TUNNEL|PROXY)_\w+"
    r"|This site can.t be reached|TypeError: Failed to fetch|net_error -\d+"
)
_FIREFOX = re.compile(
    r"\bNS_ERROR_\w+|\bPR_(?:CONNECT_RESET|END_OF_FILE)_ERROR"
    r"|NetworkError when attempting to fetch|Secure Connection Failed|The connection was reset"
)
_SAFARI = re.compile(
    r"NSURLErrorDomain|kCFErrorDomain\w+|Safari can.t|TypeError: Load failed|CFNetwork"
    r"|The network connection was lost"
)


def read(text: str, lower: str) -> Found | None:
    """Which browser, by its spelling."""
    del lower
    for pattern, product, tag in (
        (_CHROME, "Chrome", "chrome"),
        (_FIREFOX, "Firefox", "firefox"),
        (_SAFARI, "Safari", "safari"),
    ):
        shown = pattern.search(text)
        if shown is not None and "ERR_HTTP2_STREAM" not in shown[0] and "ERR_SSL_WRONG" not in shown[0]:
            return Found(f"{shown[0]} is how {product} words it", {"browser": "", tag: ""}, product)
    return None
