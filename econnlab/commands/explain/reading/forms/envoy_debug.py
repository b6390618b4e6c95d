"""A line of Envoy's own log, or the body that Envoy and Istio answer with."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Envoy log line"
ORDER = 6
HINTS = (
    "][debug][",
    "][info][",
    "][warning][",
    "][trace][",
    "][error][",
    "][critical][",
    "reset reason",
    "upstream connect error",
    "envoy ",
)

_LINE = re.compile(
    r"\]\[\d+\]\[(?:trace|debug|info|warning|error|critical)\]\[\w+\]|^\S+\t?\s(?:debug"
    r"|warning|info|error)\s+envoy \w+",
    re.MULTILINE,
)
_REASON = re.compile(r"reset reason:? ([a-z][a-z ]+[a-z])")
_BODY = "upstream connect error or disconnect/reset before headers"


def read(text: str, lower: str) -> Found | None:
    """The reset reason, where there is one."""
    reason = _REASON.search(lower)
    if _LINE.search(text) is None and reason is None and _BODY not in lower:
        return None
    tags = {"envoy": ""}
    if reason:
        said = reason[1].removesuffix(" transport failure reason")
        tags[f"envoy:{said}"] = f"reset reason {said}"
    return Found(
        "Envoy writes its log in this shape" if _LINE.search(text) else "Envoy answers with this body",
        tags,
        "Envoy",
    )
