"""A certificate for one run, by an authority of its own that nobody else trusts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from econnlab.errors import EnvironmentProblem


@dataclass(frozen=True)
class Certificate:
    """Files: the server's certificate with its key, and the authority that clients are to trust."""

    server: str
    authority: str


def make_certificate(folder: Path, *hosts: str) -> Certificate:
    """A certificate for ``hosts`` in ``folder``. Raises EnvironmentProblem where trustme is not installed."""
    try:
        import trustme
    except ImportError as error:
        raise EnvironmentProblem(
            "TLS needs trustme, which makes the certificate.", "Install it: pip install 'econnlab[tls]'."
        ) from error
    authority = trustme.CA()
    made = Certificate(str(folder / "server.pem"), str(folder / "authority.pem"))
    authority.issue_cert(*dict.fromkeys([*hosts, "localhost"])).private_key_and_cert_chain_pem.write_to_path(
        made.server
    )
    authority.cert_pem.write_to_path(made.authority)
    return made
