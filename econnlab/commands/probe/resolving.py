"""The parts of the URL, and its addresses."""

from __future__ import annotations

import ssl
from urllib.parse import quote, urlsplit

from econnlab.commands.probe.asking.target import ProbeTarget
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.listeners import resolve
from econnlab.scenario.places import PORTS, parse_url

#: Characters that may stand in a path and query (RFC 3986); others are percent-encoded.
_SAFE = "/%:=&?~+!$,;'@()*[]#"

#: One body may have at most the byte budget divided by this.
_MOST_BODIES = 10


def targets(spec: ProbeSpec) -> list[ProbeTarget]:
    """The URL of ``spec`` at each of its addresses. Raises UsageProblem, EnvironmentProblem."""
    scheme, host, port = parse_url(spec.url)
    parts = urlsplit(spec.url)
    if "@" in parts.netloc:
        raise UsageProblem(
            "The probe sends no credentials.",
            "Give the URL without them: a 401 shows just as well how long a connection is kept.",
        )
    query = f"?{parts.query}" if parts.query else ""
    name = f"[{host}]" if ":" in host else _ascii(host)
    tls = trusting_context() if scheme == "https" else None
    common = ProbeTarget(
        spec.url,
        host,
        name if port == PORTS[scheme] else f"{name}:{port}",
        quote((parts.path or "/") + query, safe=_SAFE),
        spec.method,
        0,
        ("", 0),
        tls,
        spec.byte_budget // _MOST_BODIES,
    )
    return [common.at(family, where) for family, where in resolve(host, port)]


def trusting_context(*, insecure: bool = False) -> ssl.SSLContext:
    """TLS as clients use it, with the system's authorities, or without any check; only HTTP/1.1."""
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise EnvironmentProblem(f"{host!r} cannot be resolved: {error}.", "Check the name.") from error
