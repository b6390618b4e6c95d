"""The client did not accept the server's certificate."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain

NAME = "tls_untrusted"
HELP = "the client did not accept the server's certificate, and ended the connection itself"


def explain(case: Case) -> Finding | None:
    """The client's TLS library said so; nothing of the request was sent."""
    if "SSLCertVerificationError" not in case.attempt.error:
        return None
    return certain(
        "client refused the server's certificate (SSLCertVerificationError); where it is your own, name its "
        "authority in REQUESTS_CA_BUNDLE"
    )
