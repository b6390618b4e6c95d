"""An error of Rust, printed with ``Debug`` or ``Display``."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Rust error"
ORDER = 31
HINTS = (
    "hyper::",
    "reqwest::",
    "hyper_util",
    "tonic",
    "(os error ",
    "kind: ",
    "panicked at",
    "error sending request for url",
    "tokio",
)

_SHOWN = re.compile(
    r"\bhyper(?:_util)?::|\breqwest::|\btonic::|\(os error \d+\)|\bOs \{ code: \d+"
    r"|\bkind: (?:ConnectionReset|BrokenPipe|UnexpectedEof|ConnectionRefused|Request|Body)"
    r"|thread '[^']*' panicked at|error sending request for url|\bsqlx::|\brustls::|\btokio_postgres"
)
_OS = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")


def read(text: str, lower: str) -> Found | None:
    """What shows that Rust wrote it, with the system's error number."""
    del lower
    shown = _SHOWN.search(text)
    if shown is None:
        return None
    tags = {"rust": ""}
    number = _OS.search(text)
    if number:
        tags[f"errno:{number[1] or number[2]}"] = f"os error {number[1] or number[2]}"
    return Found(f'"{shown[0]}" is Rust\'s', tags, "Rust")
