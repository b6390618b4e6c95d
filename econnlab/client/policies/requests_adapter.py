"""requests' default: its adapter's Retry, which never tries again."""

from __future__ import annotations

import random

from econnlab.client.policies.urllib3_retry import AskedRetry
from econnlab.client.retrying import Policy

NAME = "requests"
HELP = "requests' default: never"
SOURCE = "requests, adapters.py, HTTPAdapter.__init__: Retry(0, read=False)"
KIND = "library"
RETRIES = 0
#: With ``max_retries`` set it would be urllib3's policy.
FIXED = True


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one Session; ``retries`` is ignored."""
    from requests.adapters import HTTPAdapter

    return AskedRetry(lambda: HTTPAdapter().max_retries)
