"""No retries."""

from __future__ import annotations

import random

from econnlab.client.retrying import Again, FailedAttempt, Policy

NAME = "none"
HELP = "never try again, as Node's http, fetch, http.client do"
SOURCE = "Node 20.20.2, lib/_http_client.js; CPython 3.11, http/client.py"
KIND = "model"
RETRIES = 0


def policy(retries: int, random: random.Random) -> Policy:
    """A policy that always gives up."""
    return _Never()


class _Never:
    def after(self, failed: FailedAttempt) -> Again | None:
        return None
