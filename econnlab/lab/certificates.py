"""A certificate for one run, by an authority of its own that nothing else trusts."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from uuid import uuid4

from econnlab.errors import EnvironmentProblem


@dataclass(frozen=True)
class Certificate:
    """In PEM: the server's certificate with its key, and the authority that clients trust.

    The server's process keeps the authority in ``authority_file`` while it lives; the key is in no file.
    """

    server: str
    authority: str
    authority_file: str


def make_certificate(*hosts: str) -> Certificate:
    """A certificate for ``hosts``. Raises EnvironmentProblem if trustme is not installed."""
    try:
        import trustme
    except ImportError as error:
        raise EnvironmentProblem(
            "TLS needs trustme, which makes the certificate.", "Install it: pip install 'econnlab[tls]'."
        ) from error
    authority = trustme.CA()
    made = authority.issue_cert(*dict.fromkeys([*hosts, "localhost"])).private_key_and_cert_chain_pem
    return Certificate(
        made.bytes().decode(),
        authority.cert_pem.bytes().decode(),
        os.path.join(tempfile.gettempdir(), f"econnlab-{uuid4().hex}.pem"),
    )
