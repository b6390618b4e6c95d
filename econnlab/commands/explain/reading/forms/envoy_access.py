"""Envoy's access log, as text or JSON: response flags and details."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Envoy access log line"
ORDER = 4
HINTS = (
    "response_flags",
    "response_code_details",
    '" 5',
    '" 2',
    '" 4',
    '" 0',
    "upstream_reset_before",
    "via_upstream",
)

_TEXT = re.compile(
    r'^\[\d{4}-[^\]]+\] "(?:[A-Z]+ [^"]*|- - -|-)" (\d{1,3}) (-'
    r"|(?:[A-Z]{2,6})(?:,[A-Z]{2,6})*)(?: ([\w.]+(?:\{[^}]*\})?|-))? ",
    re.MULTILINE,
)
_JSON_FLAGS = re.compile(r'\\?"response_flags\\?"\s*:\s*\\?"([^"\\]*)')
_JSON_DETAIL = re.compile(r'\\?"response_code_details\\?"\s*:\s*\\?"([^"\\]*)')
_NAKED = re.compile(
    r"\b(?:upstream_reset_before_response_started|upstream_response_timeout"
    r"|downstream_remote_disconnect|via_upstream|no_healthy_upstream|cluster_not_found"
    r"|route_not_found|upstream_reset_after_response_started)(?:\{[^}]*\})?"
)


def read(text: str, lower: str) -> Found | None:
    """Flags and details; a line without flags reports no failure of Envoy's."""
    del lower
    line = _TEXT.search(text)
    flags, detail = (line[2], line[3] or "") if line else ("", "")
    if not line:
        told, more = _JSON_FLAGS.search(text), _JSON_DETAIL.search(text) or _NAKED.search(text)
        if told is None and more is None:
            return None
        flags = told[1] if told else ""
        detail = more[more.re.groups] if more else ""
    tags = {"envoy": ""}
    for flag in re.findall(r"[A-Z]{2,6}", flags):
        tags[f"envoy:{flag}"] = f"response flag {flag}"
    if detail and detail != "-":
        tags["envoy:detail"] = f"details: {detail[:120]}"
        inside = re.search(r"\{([^}]*)\}", detail)
        if inside:
            tags[f"envoy:{inside[1].split('|')[0].strip().replace('_', ' ').lower()}"] = ""
        tags[f"envoy:{detail.partition('{')[0]}"] = ""
    healthy = flags in ("", "-") and (not detail or detail == "-" or detail.startswith("via_upstream"))
    return Found(
        "Envoy's response flags and details",
        tags,
        "Envoy",
        {"flags": flags, "details": detail},
        errors=not healthy,
    )
