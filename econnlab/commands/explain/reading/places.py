"""Addresses in a text, for the commands of an answer. Only letters, digits, dots and hyphens get through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_URL = (
    r"\b(https?)://(?:[^\s/@\"']{1,80}@)?([A-Za-z0-9][A-Za-z0-9.-]{0,250})(?::(\d{1,5}))?(?=[/?#\"'\s,:;)\]>\\]"
    r"|$)"
)
_HOST = (
    r"(?<![\w.@/-])((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}"
    r"|(?:\d{1,3}\.){3}\d{1,3}|localhost):(\d{2,5})(?![\w.])"
)
_LIBRARY_FILE = (
    ".js",
    ".ts",
    ".py",
    ".go",
    ".java",
    ".rb",
    ".php",
    ".rs",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".kt",
    ".mjs",
    ".cjs",
    ".scala",
    ".cs",
)
#: Who connects from there has a port that the kernel chose.
_EPHEMERAL = 32768
_HIGHEST = 65535
_DEFAULTS = {"url": "URL", "host": "HOST", "port": "PORT"}
_PORTS = {"http": "80", "https": "443"}


def places(text: str) -> dict[str, str]:
    """``url``, ``host``, ``port`` of the server that ``text`` is about; or capitals."""
    # The addresses behind "client:" are not the server's.
    plain = re.sub(r"client: [\w.:]+", "", text)
    url = next(_urls(plain), None)
    if url is not None:
        scheme, host, port = url
        whole = f"{scheme}://{host}:{port}/" if port else f"{scheme}://{host}/"
        return {"url": whole, "host": host, "port": port or _PORTS[scheme]}
    host, port = next(_hosts(plain), ("", ""))
    if not host:
        return dict(_DEFAULTS)
    scheme = "https" if port == "443" else "http"
    return {"url": f"{scheme}://{host}:{port}/".replace(":443/", "/"), "host": host, "port": port}


def _urls(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _pattern(_URL).finditer(text):
        if not match[3] or int(match[3]) <= _HIGHEST:
            yield match[1], match[2].rstrip("."), match[3] or ""


def _hosts(text: str) -> Iterator[tuple[str, str]]:
    # "read tcp 10.0.0.1:40000->10.0.0.2:80": the server is behind the arrow.
    found = [(match[1], match[2]) for match in _pattern(_HOST).finditer(text.replace("->", " "))]
    for host, port in found:
        if int(port) <= _HIGHEST and not host.endswith(_LIBRARY_FILE) and int(port) < _EPHEMERAL:
            yield host, port


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
